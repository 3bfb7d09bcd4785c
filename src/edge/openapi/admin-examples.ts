const at = '2026-03-01T09:30:00.000Z';
const killSwitch = {
  kind: 'agent',
  name: 'summarise',
  reason: 'It fails since the last release',
  by: 'operator-7',
  at,
};

/** Examples of what the operators' routes answer, by schema. */
export const ADMIN_EXAMPLES: Readonly<Record<string, unknown>> = {
  ExecutionFigures: {
    runs: { active: 12, slots: 64 },
    engines: { created: 40_112, active: 12, disposed: 40_100, failedCleanUps: 0 },
    liveContexts: 12,
    sockets: 318,
    streams: 4,
    deliveryLagMs: { p50: 2, p99: 9 },
  },
  NodeList: {
    items: [
      {
        id: 'nod_01k9m7v3c8d5e6f7g8h9j0k1m9',
        role: 'all',
        startedAt: '2026-03-01T06:00:00.000Z',
        beatAt: at,
        draining: false,
        isThisOne: true,
      },
    ],
  },
  LaneList: { items: [{ userId: 'alice', running: 3, waiting: 17 }] },
  QuietRunList: {
    items: [
      {
        userId: 'alice',
        runId: 'run_01k9m7v3c8d5e6f7g8h9j0k1m2',
        agent: 'summarise',
        status: 'running',
        attempt: 1,
        lastSignAt: at,
        quietForMs: 184_000,
      },
    ],
  },
  KillSwitchList: { items: [killSwitch] },
  KillSwitchSet: { ...killSwitch, cancelled: 4 },
  AuditEntryList: {
    items: [
      {
        id: 'aud_01k9m7v3c8d5e6f7g8h9j0k1m8',
        at,
        by: 'operator-7',
        action: 'switch_set',
        subject: { kind: 'agent', name: 'summarise' },
        details: { requestId: 'req_01k9m7v3c8d5e6f7g8h9j0k1m5', reason: killSwitch.reason, cancelRuns: true },
      },
    ],
  },
};
