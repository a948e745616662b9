# The switch of one safeguard: follows `reconciler.baseline.enable` until somebody sets it by name.
{ config, lib }:
title:
lib.mkOption {
  type = lib.types.bool;
  default = config.reconciler.baseline.enable;
  defaultText = lib.literalExpression "config.reconciler.baseline.enable";
  description = "Safeguard: ${title}.";
}
