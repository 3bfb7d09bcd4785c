/**
 * Faults in what the stores keep of threads, steps, questions and suspended runs.
 *
 * @type {readonly import('./faults.mjs').Fault[]}
 */
export const STORAGE_FAULTS = [
  {
    name: 'two runs of one thread run at once',
    file: 'src/storage/run-submission.ts',
    search: "return before > 0 ? 'thread' : undefined;",
    replace: "return before > 9 ? 'thread' : undefined;",
    spec: 'test/storage/sqlite.spec.ts',
    only: 'holds a later run of a thread|random histories',
  },
  {
    name: 'runs that are held wait beyond every limit',
    file: 'src/storage/lane.ts',
    search: 'const queued = waiting + user.held - leaving.held;',
    replace: 'const queued = waiting;',
    spec: 'test/storage/sqlite.spec.ts',
    only: 'counts held runs among those that wait',
  },
  {
    name: 'a suspended run keeps its place in the lane',
    file: 'src/storage/run-suspension.ts',
    search: `status: 'suspended',
      admitted: false,`,
    replace: `status: 'suspended',
      admitted: run.priority === 0,`,
    spec: 'test/storage/sqlite.spec.ts',
    only: 'gives its place to who waits next|random histories',
  },
  {
    name: 'a run is laid to rest that somebody wants cancelled',
    file: 'src/storage/run-suspension.ts',
    search: 'if (run.cancelRequestedBy !== undefined) return',
    replace: 'if (run.cancelRequestedBy !== undefined && run.fence > 99) return',
    spec: 'test/storage/sqlite.spec.ts',
    only: 'does not lay a run to rest',
  },
  {
    name: 'a question is answered twice',
    file: 'src/storage/approval-decision.ts',
    search: 'if (approval.decision !== undefined) return',
    replace: "if (approval.decision === 'withdrawn') return",
    spec: 'test/storage/sqlite.spec.ts',
    only: 'takes one of two answers that come at once',
  },
  {
    name: 'an answer counts after its time',
    file: 'src/storage/approval-row.ts',
    search: 'row.decision === null && row.expires_at <= nowMs',
    replace: 'row.decision === null && row.expires_at <= nowMs - 1_000',
    spec: 'test/storage/sqlite.spec.ts',
    only: 'refuses an answer that comes too late',
  },
  {
    name: "who may not decide learns of another user's question",
    file: 'src/storage/approval-decision.ts',
    search: "if (!isOwner && !mayDecide) return { outcome: 'not_found' };",
    replace: '',
    spec: 'test/storage/sqlite.spec.ts',
    only: "does not let bob answer alice's question",
  },
  {
    name: 'steps are written after the events that tell of them',
    file: 'src/storage/sqlite/event-table.ts',
    search: 'if (draft.records) this.steps.write(user, run, draft.records, seq);',
    replace: `const { records } = draft;
      if (records) setTimeout(() => this.steps.write(user, run, records, seq), 5);`,
    spec: 'test/storage/sqlite-crash.spec.ts',
  },
  {
    name: 'what a killed process left in the backlog is forgotten',
    file: 'src/storage/sqlite/sqlite-tables.ts',
    search: 'database.transaction(() => this.backlog.settleAll());',
    replace: '',
    spec: 'test/storage/backlog.spec.ts',
    only: 'leaves',
  },
  {
    name: 'a user is read without what waits in the backlog',
    file: 'src/storage/sqlite/sqlite-tables.ts',
    search: 'this.backlog.has(userId)',
    replace: 'this.backlog.isFull',
    spec: 'test/storage/backlog.spec.ts',
    only: 'apart that come in one transaction',
  },
  {
    name: 'what is put into its tables stays in the backlog',
    file: 'src/storage/sqlite/backlog.ts',
    search: 'for (const key of user.logKeys) this.statements.remove.run(key, user.key);',
    replace: '',
    spec: 'test/storage/backlog.spec.ts',
    only: 'is read as if it did not|leaves',
  },
  {
    name: 'a step that is written again is the first of its run by its last event',
    file: 'src/storage/sqlite/backlog-merge.ts',
    search: 'steps.set(path, [path, knownSeq, knownNth, ...rest]);',
    replace: 'steps.set(path, step);',
    spec: 'test/storage/sqlite.spec.ts',
    only: 'step',
  },
  {
    name: 'the backlog keeps what a transaction added that was rolled back',
    file: 'src/storage/sqlite/sqlite-tables.ts',
    search: 'this.backlog.forget();',
    replace: '',
    spec: 'test/storage/backlog.spec.ts',
    only: 'takes nothing from the backlog',
  },
  {
    name: 'what is remembered of a user drifts away from the rows',
    file: 'src/storage/sqlite/run-table.ts',
    search: `count(user, run, -1);
    Object.assign(run, change);
    count(user, run, 1);`,
    replace: `if (run.status !== 'suspended') count(user, run, -1);
    Object.assign(run, change);
    count(user, run, 1);`,
    spec: 'test/storage/user-state.spec.ts',
  },
];
