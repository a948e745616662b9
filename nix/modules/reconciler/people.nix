# Who is called (tier L3), and which language model may be asked (tier L2).
{ lib, ... }:

let
  inherit (lib) mkOption types;
  own = import ./types.nix { inherit lib; };

  channel = types.submodule {
    options = {
      kind = mkOption {
        type = types.enum [
          "file"
          "webhook"
          "github"
          "apprise"
        ];
        example = "webhook";
        description = "What it is; each kind has options of its own (docs/howto/tickets.md).";
      };
      perHour = mkOption {
        type = own.duration 2 1000;
        default = 20;
        description = "Most messages within an hour; what has no room goes into one digest.";
      };
      timeoutS = mkOption {
        type = own.duration 1 30;
        default = 10;
        description = "Seconds that one message may take.";
      };
      directory = own.mkOptional own.absolute {
        example = "/var/lib/reconciler/tickets";
        description = "`file`: where two files a ticket are put.";
      };
      url = own.mkOptional own.urlOrSecret {
        example = "https://desk.example.org/hooks/reconciler";
        description = ''
          `webhook`: where the document is posted to; it holds no secret. `apprise`: the secret that
          holds one apprise URL, as a path or `credential:NAME`.
        '';
      };
      secret = own.mkSecret { description = "`webhook`: what the HMAC is made with."; };
      token = own.mkSecret { description = "`github`: a token with the right to write issues."; };
      repository = own.mkOptional (types.strMatching "[A-Za-z0-9-]+/[A-Za-z0-9._-]+") {
        example = "msp/clinic-tickets";
        description = "`github`: a private repository.";
      };
      api = own.mkOptional own.url {
        example = "https://github.example.org/api/v3";
        description = "`github`: the API of an Enterprise server.";
      };
      caFile = own.mkOptional types.path {
        description = "`webhook`, `github`: PEM file of the only authorities to trust.";
      };
      labels = mkOption {
        type = types.listOf (types.strMatching "[A-Za-z0-9][A-Za-z0-9 ._:-]*");
        default = [ ];
        description = "`github`: labels that each issue gets; they must exist there.";
      };
    };
  };

  model = types.strMatching "[A-Za-z0-9][A-Za-z0-9._:/-]*";

  advise = types.submodule {
    options = {
      kind = mkOption {
        type = types.enum [
          "openai"
          "azure"
          "compatible"
        ];
        example = "azure";
        description = "Whose interface it speaks; `compatible` is any other server with Chat Completions.";
      };
      model = mkOption {
        type = model;
        example = "gpt-4.1-mini";
        description = "The model, as the endpoint calls it.";
      };
      baseUrl = own.mkOptional own.url {
        example = "https://RESOURCE.openai.azure.com";
        description = "What `/chat/completions` is put behind; needed by `azure` and `compatible`.";
      };
      key = own.mkSecret { description = "Its key; needed by `openai` and `azure`."; };
      deployment = own.mkOptional model { description = "`azure`: name of the deployed model."; };
      apiVersion = own.mkOptional (types.strMatching "[0-9]{4}-[0-9]{2}-[0-9]{2}[a-z-]*") {
        example = "2024-10-21";
        description = "`azure`: version of the interface.";
      };
      caFile = own.mkOptional types.path {
        description = "PEM file of the authorities to trust instead of the system's.";
      };
      promptMicrousdPerMillionTokens = own.mkOptional types.ints.unsigned {
        example = 400000;
        description = "Price of what is asked, so that evidence says what a question cost.";
      };
      completionMicrousdPerMillionTokens = own.mkOptional types.ints.unsigned {
        example = 1600000;
        description = "The same for what is answered.";
      };
    };
  };
in
{
  options.services.reconciler = {
    notify = mkOption {
      type = types.attrsOf channel;
      default = { };
      example = {
        desk = {
          kind = "webhook";
          url = "https://desk.example.org/hooks/reconciler";
          secret = "credential:desk-hmac";
        };
      };
      description = "Channels by which people are called, by the names that a client's escalation uses.";
    };

    advise = own.mkOptional advise {
      description = ''
        A language model that may choose among approved runbooks. Even with it nothing is asked for a
        client without consent, agreement and a tier that has it (docs/howto/advice.md).
      '';
    };
  };
}
