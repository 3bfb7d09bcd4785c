import { Module } from '@nestjs/common';
import { z } from 'zod';
import type { AgentProvider } from '../src/agents/agent-provider.js';
import type { AgentRun } from '../src/agents/agent-run.js';
import { Agent } from '../src/agents/agent.decorator.js';

const Question = z.object({ title: z.string().default('Well?') });

/** Asks, and says what it was answered. */
@Agent({ name: 'asks', description: 'Asks a question', input: Question })
class AsksAgent implements AgentProvider<z.output<typeof Question>> {
  async run({ title }: z.output<typeof Question>, run: AgentRun) {
    const { answer, decision } = await run.ask({ kind: 'question', title });
    return answer ?? decision;
  }
}

@Module({ providers: [AsksAgent] })
export class AskingModule {}
