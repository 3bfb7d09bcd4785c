import type { ReviewedServer, ReviewedTool } from '../open-mcp.js';

const MAX_NAME_CHARS = 64;
const MAX_TEXT_CHARS = 160;
const MARKS: Readonly<Record<ReviewedTool['state'], string>> = { accepted: ' ', new: '+', changed: '~' };

/** The servers' tools, a line each: `+` new, `~` changed, `-` gone, `!` can't be called. What servers say is shown with care. */
export function reviewText(servers: readonly ReviewedServer[]): string {
  const lines = servers.flatMap((server) => [heading(server), ...linesOf(server)]);
  return lines.length === 0
    ? 'there are no MCP servers: CARREL_MCP_FILE names the file that has them\n'
    : `${lines.join('\n')}\n`;
}

function heading({ server, tools, error }: ReviewedServer): string {
  if (error !== undefined) return `${server}: not reached, and left as it was: ${shown(error, 500)}`;
  const changes = tools.filter(({ state }) => state !== 'accepted').length;
  return `${server}: ${tools.length} tools, ${changes === 0 ? 'all of them accepted' : `${changes} of them new or changed`}`;
}

function linesOf({ tools, gone, invalid }: ReviewedServer): string[] {
  return [
    ...tools.flatMap(toolLines),
    ...gone.map((name) => `- ${shown(name, MAX_NAME_CHARS)}  is gone`),
    ...invalid.map(({ tool, reason }) => `! ${shown(tool, MAX_NAME_CHARS)}  can not be called: ${shown(reason, 300)}`),
  ];
}

/** Of what nobody has accepted yet, what it says of itself is worth reading. */
function toolLines({ definition, state }: ReviewedTool): string[] {
  const { tool, description, effect, destructive, openWorld } = definition;
  const facts = [effect, ...(destructive ? ['destructive'] : []), ...(openWorld ? ['open world'] : [])].join(', ');
  const line = `${MARKS[state]} ${shown(tool, MAX_NAME_CHARS)}  (${facts})`;
  return state === 'accepted' ? [line] : [`${line}  ${state}`, `    ${shown(description, MAX_TEXT_CHARS)}`];
}

/** On one line, and without anything that a terminal would obey. */
function shown(text: string, maxChars: number): string {
  const plain = text.replaceAll(/[\p{C}\p{Z}]+/gu, ' ').trim();
  return plain.length > maxChars ? `${plain.slice(0, maxChars)}…` : plain;
}
