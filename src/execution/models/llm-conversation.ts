import type { LanguageModelV4Message } from '@ai-sdk/provider';
import type { UserExecutionContext } from '../../context/user-execution-context.js';
import type { JsonValue } from '../../shared/json.js';
import type { Conversations } from './conversations.service.js';

type Message = Exclude<LanguageModelV4Message, { role: 'system' }>;

/** What a run's model is given: its instructions, what was said before in the thread, and what is said in this run. */
export class LlmConversation {
  /** Said in this run. */
  private readonly messages: Message[];
  private past: Promise<readonly LanguageModelV4Message[]> | undefined;

  /** @param memory undefined: the agent has no part in the thread's conversation */
  constructor(
    prompt: string,
    private readonly instructions: string | undefined,
    private readonly context: UserExecutionContext,
    private readonly memory: Conversations | undefined,
  ) {
    this.messages = [{ role: 'user', content: [{ type: 'text', text: prompt }] }];
  }

  add(message: Message): void {
    this.messages.push(message);
  }

  /** @param more instructions after the agent's own */
  async prompt(historyTokens: number, more: string | undefined): Promise<readonly LanguageModelV4Message[]> {
    const system = [this.instructions, more].filter(Boolean).join('\n\n');
    const past = this.memory ? await (this.past ??= this.history(this.memory, historyTokens)) : [];
    return [...(system ? [{ role: 'system' as const, content: system }] : []), ...past, ...this.messages];
  }

  /**
   * What the user says is kept whatever becomes of the run. The model need not wait for the disk to have it.
   *
   * @throws CarrelError `run_closed`, as `Conversations.append` does
   */
  async begin(): Promise<void> {
    await this.memory?.append(this.context, 0, [stored(this.messages[0]!)]);
  }

  /** What else was said. It is on disk before the run's end, which need not wait for it. @throws like `begin` */
  async end(): Promise<void> {
    await this.memory?.append(this.context, 1, this.messages.slice(1).map(stored));
  }

  private async history(memory: Conversations, tokens: number): Promise<readonly LanguageModelV4Message[]> {
    return (await memory.history(this.context, tokens)) as unknown as readonly LanguageModelV4Message[];
  }
}

/**
 * What is kept for later runs: words and calls of tools. A model's reasoning and what its provider wants to see again count within
 * a run only; later runs may have another provider, which could not read them.
 */
function stored({ role, content }: Message): { role: Message['role']; content: JsonValue } {
  const kept = content.filter(({ type }) => type === 'text' || type === 'tool-call' || type === 'tool-result');
  const bare = kept.map((part) => ({ ...part, providerOptions: undefined }));
  return { role, content: JSON.parse(JSON.stringify(bare)) as JsonValue };
}
