import { styleText } from 'node:util';
import type { RunEvent } from '../events/run-event.js';

/** Half of the terminal; of a wide one where there is none. */
const COLUMN_WIDTH = Math.max(50, Math.floor((process.stdout.columns ?? 150) / 2) - 1);
const COLOURS = ['cyan', 'magenta'] as const;

/** Shows two users' events live, side by side: each user has a column and a colour. */
export class DemoScreen {
  constructor(
    private readonly users: readonly string[],
    private readonly write: (line: string) => void,
  ) {}

  headings(): void {
    this.write('');
    this.write(this.users.map((user, i) => this.paint(i, pad(`── ${user} `.padEnd(COLUMN_WIDTH - 2, '─')))).join(''));
  }

  event(user: string, event: RunEvent): void {
    const column = this.users.indexOf(user);
    const line = `${String(event.seq).padStart(3)} ${event.agent.padEnd(9)} ${event.type.padEnd(15)} ${tell(event)}`;
    const blank = ' '.repeat(COLUMN_WIDTH * column);
    this.write(blank + this.paint(column, pad(line)).trimEnd());
  }

  title(text: string): void {
    this.write('');
    this.write(styleText('bold', text));
  }

  text(line: string): void {
    this.write(line);
  }

  check(holds: boolean, claim: string): void {
    this.write(`${holds ? styleText('green', '✔') : styleText('red', '✘')} ${claim}`);
  }

  private paint(column: number, text: string): string {
    return styleText(COLOURS[column % COLOURS.length] ?? 'white', text);
  }
}

function pad(text: string): string {
  const cut = text.length > COLUMN_WIDTH - 2 ? `${text.slice(0, COLUMN_WIDTH - 3)}…` : text;
  return cut.padEnd(COLUMN_WIDTH);
}

/** The one thing worth seeing of an event. */
function tell(event: RunEvent): string {
  switch (event.type) {
    case 'agent_queued':
      return `place ${event.data.position} (${event.data.reason})`;
    case 'agent_started':
      return '';
    case 'agent_thinking':
      return event.data.thought;
    case 'agent_message_delta':
      return event.data.text;
    case 'tool_executing':
      return event.data.tool;
    case 'tool_progress':
      return `${Math.round(event.data.progress * 100)} %`;
    case 'tool_completed':
      return event.data.outcome;
    case 'budget_warning':
      return `${event.data.used} of ${event.data.limit} ${event.data.unit} of this ${event.data.scope}`;
    case 'agent_retrying':
      return `attempt ${event.data.attempt} in ${event.data.delayMs} ms`;
    case 'step_started':
      return event.data.step;
    case 'step_completed':
      return `${event.data.step} ${event.data.outcome}`;
    case 'approval_required':
      return event.data.title;
    case 'approval_resolved':
      return event.data.decision;
    case 'agent_suspended':
      return `until ${event.data.until ?? 'somebody decides'}`;
    case 'agent_resumed':
      return '';
    case 'agent_fallback':
      return event.data.reason;
    case 'agent_completed':
    case 'agent_cancelled':
      return `${event.data.durationMs} ms`;
    case 'agent_error':
      return event.data.error.message;
  }
}
