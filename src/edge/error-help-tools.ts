export interface ErrorHelp {
  /** When it happens. */
  when: string;
  /** What whoever meets it can do. */
  remedy: string;
}

/** What the documents say of the codes of tools and models. */
export const TOOL_ERROR_HELP = {
  unknown_tool: {
    when: 'A run calls a tool that its server does not offer to this user, or names a server that is not configured.',
    remedy:
      'Use one of `GET /v1/tools`; `near` has names that are like the one that was called. An MCP server must be in `mcp.json`.',
  },
  invalid_arguments: {
    when: "The arguments of a tool call do not fit the tool's input schema. Nothing was sent to the tool.",
    remedy: 'Correct what `issues` names; `GET /v1/tools` shows the schema.',
  },
  tool_denied: {
    when: "The tool exists, but the operator's policy (`toolPolicy` in `mcp.json`) does not let this user, with these roles, use it from this agent; or a guard of one of the application's own tools refuses the call.",
    remedy: 'Ask whoever runs the server; the policy decides again at each call.',
  },
  tool_declined: {
    when: 'The call needed an approval, and whoever was asked said no, or did not answer in time. The tool was not called.',
    remedy: 'Start the run again if it was a mistake.',
  },
  tool_failed: {
    when: 'The tool was called and says itself that it failed. The message is its own.',
    remedy: 'Read what it says. It may have had effects before it failed.',
  },
  tool_timed_out: {
    when: 'The tool did not answer within its time (`CARREL_TOOL_TIMEOUT_MS`); it was told to stop.',
    remedy: 'Try again, or give tools more time.',
  },
  tool_result_too_large: {
    when: 'The tool answered with more than `CARREL_TOOL_RESULT_BYTES`; the answer was thrown away as it came in.',
    remedy: 'Ask for less, for example a part of the file.',
  },
  invalid_tool_result: {
    when: "The tool's answer is not valid MCP, or its structured part does not fit the output schema that it promised.",
    remedy: 'This is a fault of the tool: tell whoever makes it.',
  },
  mcp_unavailable: {
    when: 'The MCP server can not be started or reached for this user, ended in the middle of a call, or is left alone for a while after it failed several times. Other users and servers go on.',
    remedy:
      'Wait as `retryAfterMs` says. `GET /v1/mcp/servers` has its state and last error; the log has what it wrote to stderr.',
  },
  mcp_tool_changed: {
    when: 'The definition of the tool (description, schema, hints) is not the one that the operator accepted, so it is held back.',
    remedy: 'The operator looks at the change and accepts it: `carrel mcp accept`.',
  },
  unknown_model: {
    when: 'An agent asks for a model that `models.json` does not have, or no model is configured.',
    remedy: 'Add it to the file that `CARREL_MODELS_FILE` names, and restart.',
  },
  model_failed: {
    when: 'The provider could not be reached, was busy, failed or broke off, as often as it may be tried; and so did the fallback, if the model has one.',
    remedy: 'Try again later; the log has what the provider said, under the support code.',
  },
  model_refused: {
    when: 'The provider refuses the request for good: a wrong key, an unknown model, a request that it does not take, or content that it does not answer.',
    remedy: 'The log has what the provider said, under the support code. Check the key and the model in `models.json`.',
  },
  invalid_model_output: {
    when: "The model's answer does not fit the schema that the agent asked for.",
    remedy: 'Try again, or use a better model.',
  },
  too_many_model_calls: {
    when: 'The model wanted more tools, again and again, than the agent allows (`maxModelCalls`).',
    remedy: 'Ask for less at once, or let the agent make more calls.',
  },
  budget_exceeded: {
    when: "The next call of a model could cost more than is left of the user's budget for this run, day or month. The model was not called. The message says which budget and how much.",
    remedy: '`GET /v1/me/usage` shows what is used. Wait for the next day or month, or ask whoever runs the server.',
  },
} as const satisfies Record<string, ErrorHelp>;
