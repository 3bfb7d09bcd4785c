import { pathText } from '../../agents/input-reader.js';
import { CarrelError } from '../../shared/errors.js';
import { MAX_ISSUES } from './pipeline-bounds.js';

/** Where in a pipeline something is: `steps[2].map.step.input`. */
export type Path = readonly PropertyKey[];

const MAX_MESSAGE_CHARS = 400;
const MAX_PATH_CHARS = 300;

/** Everything that is wrong with a pipeline, each thing with its place. */
export class PlanIssues {
  readonly #issues: { path: string; message: string }[] = [];

  /** @param below what follows the path as text: `.if[0]` */
  add(path: Path, message: string, below = ''): void {
    this.#issues.push({
      path: cut(`${pathText(path)}${below}`, MAX_PATH_CHARS),
      message: cut(message, MAX_MESSAGE_CHARS),
    });
  }

  get lines(): string[] {
    return this.#issues.map(({ path, message }) => `${path || 'the pipeline'}: ${message}`);
  }

  /** @throws CarrelError `invalid_pipeline` with them all, when there are any */
  throwIfAny(): void {
    const [first] = this.lines;
    if (first === undefined) return;
    const more = this.#issues.length > 1 ? ` (and ${this.#issues.length - 1} more)` : '';
    throw new CarrelError('invalid_pipeline', `${first}${more}`, {
      details: { issues: this.#issues.slice(0, MAX_ISSUES) },
    });
  }
}

function cut(text: string, max: number): string {
  return text.length > max ? `${text.slice(0, max)}…` : text;
}
