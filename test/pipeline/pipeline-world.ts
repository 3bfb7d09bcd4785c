import { Module, type Type } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { z } from 'zod';
import { Agent } from '../../src/agents/agent.decorator.js';
import { ContextModule } from '../../src/context/context.module.js';
import { executePipeline } from '../../src/execution/pipeline/pipeline-executor.js';
import { PipelineModule } from '../../src/execution/pipeline/pipeline.module.js';
import { PipelineRegistry } from '../../src/execution/pipeline/pipeline-registry.service.js';
import { PipelineService } from '../../src/execution/pipeline/pipeline.service.js';
import type { JsonValue } from '../../src/shared/json.js';
import { MemoryRun, type Work } from './memory-scope.js';

@Agent({ name: 'triage', description: 'Triages', input: z.strictObject({ text: z.string() }) })
export class TriageAgent {
  run({ text }: { text: string }): { score: number; topics: string[] } {
    return { score: text.length / 10, topics: text.split(' ') };
  }
}

@Agent({ name: 'review', description: 'Reviews', input: z.strictObject({ topic: z.string(), depth: z.int() }) })
export class ReviewAgent {
  async run({ topic, depth }: { topic: string; depth: number }): Promise<{ verdict: string; depth: number }> {
    return { verdict: `${topic}!`, depth };
  }
}

@Agent({ name: 'any', description: 'Takes anything', input: z.unknown() })
class AnyAgent {
  run(input: unknown): unknown {
    return input;
  }
}

function moduleOf(...providers: unknown[]): Type {
  @Module({ providers: providers as Type[] })
  class TeamModule {}
  return TeamModule;
}

/** A small Nest application with the real registries, for plans. */
export class PipelineWorld implements AsyncDisposable {
  private constructor(private readonly app: TestingModule) {}

  static async boot(...providers: unknown[]): Promise<PipelineWorld> {
    const team = moduleOf(TriageAgent, ReviewAgent, AnyAgent, ...providers);
    const app = await Test.createTestingModule({ imports: [ContextModule, PipelineModule, team] }).compile();
    return new PipelineWorld(await app.init());
  }

  get registry(): PipelineRegistry {
    return this.app.get(PipelineRegistry);
  }

  get service(): PipelineService {
    return this.app.get(PipelineService);
  }

  /** Carries out a pipeline, by name or as data. */
  async run(pipeline: unknown, input: JsonValue, work: Work | MemoryRun) {
    const plan = await this.service.resolve(pipeline);
    const run = work instanceof MemoryRun ? work : new MemoryRun(work);
    const outcome = await executePipeline(plan, input, run.scope);
    expect(run.faults).toEqual([]);
    expect(run.atWork).toBe(0);
    return outcome;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.app.close();
  }
}
