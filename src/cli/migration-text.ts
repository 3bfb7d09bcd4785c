import type { DataMove } from '../open-migration.js';

const HEADINGS = ['table', 'folder', 'database'] as const;
/** Users who are named at most. */
const MAX_NAMED = 5;

/** What was moved, as a table with a line for each, and what is left to do. */
export function migrationText(moved: DataMove, dir: string): string {
  const { copied, known, settledReservations, isProven } = moved;
  const lines = [
    `${copied} users were copied, ${known} were there already`,
    ...(settledReservations > 0
      ? [`${settledReservations} calls of models were under way when the server ended: they count as spent`]
      : []),
    '',
    ...countLines(moved),
    '',
    ...(isProven ? ['All counts are equal, and every sequence of events is without a gap.'] : whatIsWrong(moved)),
    ...(isProven ? ['', 'What is left to do:', ...nextSteps(moved, dir)] : []),
  ];
  return `${lines.join('\n')}\n`;
}

function countLines({ counts }: DataMove): string[] {
  const rows = counts.map(({ table, source, target }) => [
    table,
    String(source),
    source === target ? String(target) : `${target}  differs`,
  ]);
  const widthOf = (column: number) => Math.max(...[[...HEADINGS], ...rows].map((row) => row[column]!.length));
  const [tables, sources] = [widthOf(0), widthOf(1)];
  return [[...HEADINGS], ...rows].map(
    ([table, source, target]) => `${table!.padEnd(tables)}  ${source!.padStart(sources)}  ${target!}`,
  );
}

function whatIsWrong({ gaps }: DataMove): string[] {
  const named = gaps.slice(0, MAX_NAMED).join(', ');
  return [
    'The two are NOT equal: do not start nodes on this database. Empty it, and start this again.',
    ...(gaps.length > 0 ? [`Users whose events are not numbered without a gap: ${gaps.length}, such as ${named}`] : []),
  ];
}

function nextSteps({ signingKey, userFiles }: DataMove, dir: string): string[] {
  return [
    `- Start the nodes with DATABASE_URL and REDIS_URL. They carry on with the runs that had not ended.`,
    `- Start no server on ${dir} any more: it would carry out the same runs and schedules once more.`,
    ...(signingKey ? keySteps(signingKey) : ['- Give all nodes the source of keys that this server had.']),
    ...(userFiles
      ? [
          `- Files of users' MCP servers are in ${userFiles}, and were not copied. Put that folder on a volume that all`,
          '  nodes have as "mcp" in their CARREL_DATA_DIR, if these servers need to find them on every node.',
        ]
      : []),
  ];
}

function keySteps(signingKey: string): string[] {
  return [
    `- Tokens were signed with ${signingKey}. All nodes need one source of keys:`,
    '  CARREL_JWT_SECRET or CARREL_JWKS_URL, with which users get new tokens; or, so that the old tokens stay valid, the',
    '  public half of that key, as CARREL_JWT_PUBLIC_KEY_FILE on every node:',
    `    openssl pkey -in ${signingKey} -pubout -out carrel-public.pem`,
    '  "carrel token --data" with the old folder signs for them as before.',
  ];
}
