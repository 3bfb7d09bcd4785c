import type { ToolRef } from '../../../agents/tools/tool-definition.js';
import type { JsonObject } from '../../../shared/json.js';

/** What somebody asks for, in words. */
export interface ToolRequest {
  /** Any length; the beginning is what is analysed. */
  readonly text: string;
  /** Arguments as data. They go before what the text says. */
  readonly arguments?: JsonObject;
  /** Only tools of this server are looked at. */
  readonly server?: string;
  /** Only tools of this name are looked at, and one that is named needs no more to be meant. */
  readonly tool?: string;
}

/** A tool that the request may want. */
export interface ToolCandidate extends ToolRef {
  /** From 0 to 1. */
  readonly score: number;
  /** For people: what speaks for it. */
  readonly why: string;
  /** What was found, checked against the tool's schema. */
  readonly arguments: JsonObject;
  /** Required arguments that were not found, or that do not fit. */
  readonly missing: readonly string[];
  /** The user will be asked before it is called. */
  readonly needsApproval: boolean;
}

/** Whether a request needs a tool, and which. A suggestion: policy, schema and approval decide at the call. */
export interface RequestDecision {
  /** The first candidate is to be called, with its arguments. */
  readonly requiresMcp: boolean;
  /** The first candidate's score; 0 when there is none. */
  readonly confidence: number;
  /** For people, in a sentence. */
  readonly reason: string;
  readonly threshold: number;
  /** The best first, at most five. */
  readonly candidates: readonly ToolCandidate[];
}
