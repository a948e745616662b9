# Lists: what the modules do with them.
lib: {
  count = wanted: list: builtins.length (builtins.filter wanted list);
  optional = condition: x: if condition then [ x ] else [ ];
  optionals = condition: list: if condition then list else [ ];
  toList = x: if builtins.isList x then x else [ x ];
  singleton = x: [ x ];
  last = list: builtins.elemAt list (builtins.length list - 1);
  init = list: builtins.genList (builtins.elemAt list) (builtins.length list - 1);
  unique = builtins.foldl' (seen: x: if builtins.elem x seen then seen else seen ++ [ x ]) [ ];
  subtractLists = minus: builtins.filter (x: !(builtins.elem x minus));
  intersectLists = ours: builtins.filter (x: builtins.elem x ours);
  flatten = x: if builtins.isList x then builtins.concatMap lib.flatten x else [ x ];
  reverseList =
    list:
    builtins.genList (i: builtins.elemAt list (builtins.length list - 1 - i)) (builtins.length list);
  range = from: to: if from > to then [ ] else builtins.genList (i: from + i) (to - from + 1);
  imap0 = f: list: builtins.genList (i: f i (builtins.elemAt list i)) (builtins.length list);
  findFirst =
    wanted: default: list:
    let
      found = builtins.filter wanted list;
    in
    if found == [ ] then default else builtins.head found;
  foldr =
    op: nul: list:
    if list == [ ] then nul else op (builtins.head list) (lib.foldr op nul (builtins.tail list));
  naturalSort = builtins.sort builtins.lessThan;
  partition = builtins.partition;
  sublist =
    start: count: list:
    builtins.filter (x: x != null) (
      lib.imap0 (i: x: if i >= start && i < start + count then x else null) list
    );
  take = count: list: lib.sublist 0 count list;
}
