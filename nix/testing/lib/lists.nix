# Lists: what the modules do with them.
lib: {
  count = wanted: list: builtins.length (builtins.filter wanted list);
  optional = condition: x: if condition then [ x ] else [ ];
  optionals = condition: list: if condition then list else [ ];
  toList = x: if builtins.isList x then x else [ x ];
  last = list: builtins.elemAt list (builtins.length list - 1);
  unique = builtins.foldl' (seen: x: if builtins.elem x seen then seen else seen ++ [ x ]) [ ];
  subtractLists = minus: builtins.filter (x: !(builtins.elem x minus));
  intersectLists = ours: builtins.filter (x: builtins.elem x ours);
  reverseList =
    list:
    builtins.genList (i: builtins.elemAt list (builtins.length list - 1 - i)) (builtins.length list);
  imap0 = f: list: builtins.genList (i: f i (builtins.elemAt list i)) (builtins.length list);
}
