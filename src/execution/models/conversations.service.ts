import { Inject, Injectable } from '@nestjs/common';
import { CARREL_CONFIG, type CarrelConfig } from '../../config/config.js';
import type { UserExecutionContext } from '../../context/user-execution-context.js';
import { CLOCK, type Clock } from '../../shared/clock.js';
import { newId, type RunId, type ThreadId } from '../../shared/ids.js';
import { answered } from './conversation-cut.js';
import { estimateTokens } from './conversation-tokens.js';
import { MESSAGE_STORE, type MessageRecord, type MessageStore } from './message-store.port.js';

export type ConversationMessage = Pick<MessageRecord, 'role' | 'content'>;

/** Turns that are read back at most. */
const MAX_RUNS = 1_000;

/**
 * What a thread's user and the agent of its runs have said. Agents that are called inside a run (as steps, or by other agents)
 * have no part in it: they are not who the user talks to.
 */
@Injectable()
export class Conversations {
  constructor(
    @Inject(MESSAGE_STORE) private readonly store: MessageStore,
    @Inject(CARREL_CONFIG) private readonly config: CarrelConfig,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** What was said in the thread before this run, oldest first, as far as it fits into so many tokens. */
  async history(context: UserExecutionContext, tokens: number): Promise<readonly ConversationMessage[]> {
    const place = placeOf(context);
    if (!place) return [];
    const limits = { except: place.runId, tokens, runs: MAX_RUNS };
    const messages = answered(await this.store.latest(context.userId, place.threadId, limits));
    return messages.map(({ role, content }) => ({ role, content }));
  }

  /**
   * Adds messages of the run. Those that are there already are not added again.
   *
   * @param first the place of the first of them among the run's messages, from 0
   * @throws CarrelError `run_closed` when the run is not under way (any more)
   */
  async append(context: UserExecutionContext, first: number, messages: readonly ConversationMessage[]): Promise<void> {
    const place = placeOf(context);
    if (!place || messages.length === 0) return;
    const createdAtMs = this.clock.now();
    const added = messages.map(({ role, content }, i) => ({
      id: newId('msg'),
      index: first + i,
      role,
      content,
      tokens: estimateTokens(content),
      createdAtMs,
    }));
    const limit = this.config.limits.threadMessages;
    await this.store.append(context.userId, place.threadId, place.runId, added, limit);
  }
}

function placeOf({ depth, threadId, runId }: UserExecutionContext): { threadId: ThreadId; runId: RunId } | undefined {
  return depth === 0 && threadId && runId ? { threadId, runId } : undefined;
}
