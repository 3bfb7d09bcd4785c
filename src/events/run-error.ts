import type { ErrorCode } from '../shared/errors.js';
import type { SupportCode } from '../shared/ids.js';
import type { JsonObject } from '../shared/json.js';

/** Why a run ended badly, as its owner sees it. Details stay in the log, under the support code. */
export interface RunError {
  code: ErrorCode;
  message: string;
  supportCode: SupportCode;
  retryable: boolean;
  /** What else may be told, e.g. `steps` of a pipeline that failed, or `issues` of an input. */
  details?: JsonObject;
}

/** What an agent says it used, e.g. `{ inputTokens: 120 }`. */
export type Usage = Readonly<Record<string, number>>;
