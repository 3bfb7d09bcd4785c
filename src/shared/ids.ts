import { ulid } from './ulid.js';

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** Whoever the verified token names: 1–128 visible characters. Minted only by authentication. */
export type UserId = Branded<'UserId'>;
export type RunId = Branded<'RunId'>;
/** May be chosen by the client: it only means something beside its user. */
export type ThreadId = Branded<'ThreadId'>;
export type RequestId = Branded<'RequestId'>;
export type EventId = Branded<'EventId'>;
/** One tool call of one run. */
export type CallId = Branded<'CallId'>;
/** A question that a run asks its owner. */
export type ApprovalId = Branded<'ApprovalId'>;
/** A recurring run. */
export type ScheduleId = Branded<'ScheduleId'>;
/** One message of a thread's conversation. */
export type MessageId = Branded<'MessageId'>;
/** One entry of the operators' audit trail. */
export type AuditId = Branded<'AuditId'>;
/** One process of the server, from its start to its end. */
export type NodeId = Branded<'NodeId'>;
/** What a user quotes to support; the log has the details beside it. */
export type SupportCode = Branded<'SupportCode'>;

/** Prefix of an id → its branded type. */
interface IdKinds {
  run: RunId;
  thr: ThreadId;
  req: RequestId;
  evt: EventId;
  call: CallId;
  apr: ApprovalId;
  sch: ScheduleId;
  msg: MessageId;
  aud: AuditId;
  nod: NodeId;
  sup: SupportCode;
}

/**
 * A new id, `<kind>_<ulid>`. Within a process ids sort in the order in which they were made, even inside one
 * millisecond, so that rows keyed by them are appended and "the oldest" needs no second column.
 */
export function newId<Kind extends keyof IdKinds>(kind: Kind): IdKinds[Kind] {
  return `${kind}_${ulid()}` as IdKinds[Kind];
}

/** These words are what a bug writes where a user's id should be. Whole words only: real people are called "nullmann". */
const PLACEHOLDER_USER_IDS = new Set([
  'null',
  'undefined',
  '[object object]',
  'nan',
  'none',
  'registry',
  'placeholder',
  'anonymous',
]);

/** Says why a value cannot be a user's id, or `undefined` when it can. */
export function whyNotUserId(value: unknown): string | undefined {
  if (typeof value !== 'string') return 'the user id is missing or not a text';
  if (PLACEHOLDER_USER_IDS.has(value.toLowerCase())) return `"${value}" is a placeholder, not a user id`;
  if (!/^[\p{L}\p{M}\p{N}\p{P}\p{S}]{1,128}$/u.test(value)) {
    return 'the user id must be 1 to 128 visible characters, without blanks';
  }
  return undefined;
}

/** What a client may choose as a thread's id. */
export const THREAD_ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;
/** Every run id looks like this; what does not can't exist. */
export const RUN_ID_PATTERN = /^run_[0-9a-z]{26}$/;
export const APPROVAL_ID_PATTERN = /^apr_[0-9a-z]{26}$/;
export const SCHEDULE_ID_PATTERN = /^sch_[0-9a-z]{26}$/;
export const AUDIT_ID_PATTERN = /^aud_[0-9a-z]{26}$/;
