// oxlint-disable-next-line import/no-unassigned-import -- what the decorator below writes to
import 'reflect-metadata';
import type { StepEffect } from '../../events/step-record.js';
import type { AgentInput } from '../agent-provider.js';

/** A text, not a symbol: a tool's package may have a copy of this module of its own. */
const TOOL_METADATA = 'carrel:agent-tool';

/** How a tool is declared. */
export interface AgentToolOptions {
  /** What agents call it by: letters, digits, `-` and `_`, at most 64 characters. Unique among the application's own tools. */
  name: string;
  /** For people. @default the name */
  title?: string;
  /** What it does and when to use it, for whoever chooses a tool: people, agents and models. */
  description: string;
  /** What it accepts. Bad arguments are refused before it is called. */
  input: AgentInput;
  /** What it returns; shown, and checked. @default anything that is plain JSON */
  output?: AgentInput;
  /**
   * What becomes of a call that was under way when the process died: `read` and `idempotent` → it is called again (the same
   * `idempotencyKey`), `once` → the run's owner is asked.
   * @default 'once'
   */
  effect?: StepEffect;
  /** The run's owner is asked before each call, whatever the policy says. @default false */
  needsApproval?: boolean;
  /** The time limit of one call. @default CARREL_TOOL_TIMEOUT_MS (60000) */
  timeoutMs?: number;
}

/**
 * Makes a method of any provider a tool that agents may call (`run.tools`): `method(input, call)`, which returns plain JSON.
 * It is found in whatever module provides its class; of a request-scoped class each attempt of a run has an instance of its
 * own. In plain JavaScript: `AgentTool({ … })(SomeClass.prototype, 'method')`. Mistakes are refused at boot, by name.
 */
export function AgentTool(options: AgentToolOptions) {
  return (prototype: object, method: string | symbol): void => {
    Reflect.defineMetadata(TOOL_METADATA, options, prototype, method);
  };
}

/** How a method was declared, there or in a class above; `undefined` for what is no tool. Not checked yet. */
export function declaredTool(prototype: object, method: string): unknown {
  return Reflect.getMetadata(TOOL_METADATA, prototype, method);
}
