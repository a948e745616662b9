# The options below one place, as a list: what a page for people is written from. Works with the
# library of nixpkgs as well: getSubOptions is its name for what a type has inside.
{ lib }:
let
  isOption = value: builtins.isAttrs value && (value._type or null) == "option";

  # A default that is computed says so in words; one that cannot be shown is left out.
  shown = value: if (value._type or null) == "literalExpression" then value.text else builtins.toJSON value;
  defaultOf =
    option:
    if option ? defaultText then
      shown option.defaultText
    else if option ? default then
      shown option.default
    else
      null;

  describe = name: option: {
    inherit name;
    type = option.type.description;
    description = option.description;
    default = defaultOf option;
    example = if option ? example then shown option.example else null;
  };

  # What stands between an option and those inside of it.
  inner =
    type:
    {
      attrsOf = [ "<name>" ];
      listOf = [ "*" ];
    }
    .${type.name} or [ ];

  below =
    prefix: options:
    lib.concatMap (
      name:
      let
        place = prefix ++ [ name ];
        option = options.${name};
      in
      if name == "_module" || name == "_freeformOptions" || (option.internal or false) == true then
        [ ]
      else if isOption option then
        [ (describe (builtins.concatStringsSep "." place) option) ]
        ++ below (place ++ inner option.type) (option.type.getSubOptions [ ])
      else
        below place option
    ) (builtins.attrNames options);
in
below
