import type { Ask } from '../../agents/agent-run.js';
import { OWN_TOOLS, type UsableTool } from '../../agents/tools/tool-definition.js';
import { cutText, redact } from '../../events/redaction.js';
import type { JsonObject, JsonValue } from '../../shared/json.js';

const MAX_NAME_CHARS = 100;
/** What a character of a text may become in JSON, in bytes. */
const MAX_BYTES_PER_CHAR = 6;

/** What a run's owner is asked before a tool is called: by its name, since its title says what its server likes. */
export function approvalOf({ server, tool }: UsableTool, args: JsonObject, maxBytes: number): Ask {
  const from = server === OWN_TOOLS ? '' : ` of "${cutText(server, MAX_NAME_CHARS)}"`;
  const title = `Call the tool "${cutText(tool, MAX_NAME_CHARS)}"${from}?`;
  return { kind: 'approval', title, details: { server, tool, arguments: shown(args, maxBytes / 2) } };
}

function shown(args: JsonObject, maxBytes: number): JsonValue {
  const redacted = redact(args);
  const text = JSON.stringify(redacted);
  return Buffer.byteLength(text) <= maxBytes ? redacted : cutText(text, Math.floor(maxBytes / MAX_BYTES_PER_CHAR));
}
