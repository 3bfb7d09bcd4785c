// oxlint-disable no-shadow -- a function's parameters have the names of the steps that they are the results of
import type { PipelineBuilder } from '../../src/execution/pipeline/pipeline-builder.js';
import { Pipeline } from '../../src/execution/pipeline/pipeline.decorator.js';
import type { PipelineProvider } from '../../src/execution/pipeline/pipeline-provider.js';
import { z } from 'zod';
import { ReviewAgent, TriageAgent } from './pipeline-world.js';

/** For the compiler: each `@ts-expect-error` is a mistake that it has to find. Some of it runs, in registry.spec.ts. */

const Text = z.strictObject({ text: z.string(), depth: z.int().default(1) });
export type Text = z.output<typeof Text>;

@Pipeline({ name: 'adaptive', description: 'Reviews what is worth it', input: Text, concurrency: 3 })
export class AdaptivePipeline implements PipelineProvider<Text> {
  define(p: PipelineBuilder<Text>) {
    const triage = p.agent('triage', TriageAgent, { input: ({ input }) => ({ text: input.text }) });
    const review = p.agent('review', ReviewAgent, {
      dependsOn: { triage },
      when: ({ triage }) => triage.score >= 0.8,
      input: ({ input, triage }) => ({ topic: triage.topics[0] ?? '', depth: input.depth }),
    });
    return p.output({ triage, review }, ({ triage, review }) => ({
      score: triage.score,
      verdict: review?.verdict ?? 'not worth it',
    }));
  }
}

@Pipeline({ name: 'thorough', description: 'Everything a pipeline can do', input: Text })
export class ThoroughPipeline implements PipelineProvider<Text> {
  define(p: PipelineBuilder<Text>) {
    const triage = p.agent('triage', TriageAgent, { input: ({ input }) => input });
    const reviews = p.map('reviews', ReviewAgent, {
      dependsOn: { triage },
      over: ({ triage }) => triage.topics,
      input: ({ item, index }) => ({ topic: item.toUpperCase(), depth: index }),
      concurrency: 2,
    });
    const refined = p.loop('refined', ReviewAgent, {
      dependsOn: { reviews },
      input: ({ last, reviews }) => ({
        topic: last?.verdict ?? reviews[0]?.verdict ?? '',
        depth: (last?.depth ?? 0) + 1,
      }),
      until: ({ last }) => last.depth >= 3,
      max: 5,
    });
    const both = p.parallel('both', (inside) => ({
      left: inside.agent('left', ReviewAgent, {
        dependsOn: { triage },
        input: ({ triage }) => ({ topic: 'l', depth: triage.topics.length }),
      }),
      right: inside.agent('right', TriageAgent, { input: ({ input }) => ({ text: input.text }) }),
    }));
    const first = p.race('first', (inside) => [
      inside.agent('one', TriageAgent, { input: ({ input }) => ({ text: input.text }) }),
      inside.agent('two', TriageAgent, { input: () => ({ text: 'two' }) }),
    ]);
    const nested = p.pipeline('nested', AdaptivePipeline, {
      dependsOn: { first },
      input: ({ first }) => ({ text: first.topics.join(' '), depth: 2 }),
    });
    const named = p.agent('named', 'any', { dependsOn: { refined, both, nested }, input: (known) => known });
    return p.output({ nested, both, refined, named }, ({ nested, both, refined }) => ({
      verdict: nested.verdict,
      left: both.left.depth + both.right.score,
      refined: refined.depth,
    }));
  }
}

export class MistakenPipeline implements PipelineProvider<Text> {
  define(p: PipelineBuilder<Text>) {
    const triage = p.agent('triage', TriageAgent, { input: ({ input }) => ({ text: input.text }) });
    // @ts-expect-error -- the agent needs a text, not a number
    p.agent('a', TriageAgent, { input: ({ input }) => ({ text: input.depth }) });
    // @ts-expect-error -- the agent's input is not complete
    p.agent('b', ReviewAgent, { input: ({ input }) => ({ topic: input.text }) });
    // @ts-expect-error -- the pipeline's input has no such field
    p.agent('c', TriageAgent, { input: ({ input }) => ({ text: input.txt }) });
    // @ts-expect-error -- it does not depend on triage
    p.agent('d', TriageAgent, { input: ({ triage }) => ({ text: String(triage) }) });
    // @ts-expect-error -- triage has no such result
    p.agent('e', TriageAgent, { dependsOn: { triage }, input: ({ triage }) => ({ text: triage.txt }) });
    p.agent('f', TriageAgent, {
      dependsOn: { triage },
      // @ts-expect-error -- a condition is true or false
      when: ({ triage }) => triage.score,
      input: ({ input }) => input,
    });
    // @ts-expect-error -- an agent has to be given something
    p.agent('g', TriageAgent, { dependsOn: { triage } });
    // @ts-expect-error -- results can't be changed
    p.agent('h', TriageAgent, { dependsOn: { triage }, input: ({ triage }) => ({ text: (triage.topics[0] = 'x') }) });
    const maybe = p.agent('maybe', TriageAgent, { when: ({ input }) => input.depth > 1, input: ({ input }) => input });
    // @ts-expect-error -- it may have been skipped
    p.agent('i', TriageAgent, { dependsOn: { maybe }, input: ({ maybe }) => ({ text: maybe.topics.join() }) });
    const risky = p.agent('risky', TriageAgent, { continueOnError: true, input: ({ input }) => input });
    // @ts-expect-error -- it may have failed
    p.agent('j', TriageAgent, { dependsOn: { risky }, input: ({ risky }) => ({ text: risky.topics.join() }) });
    p.map('k', ReviewAgent, {
      dependsOn: { triage },
      // @ts-expect-error -- a map needs a list
      over: ({ triage }) => triage.score,
      input: () => ({ topic: '', depth: 1 }),
    });
    p.map('l', ReviewAgent, {
      dependsOn: { triage },
      over: ({ triage }) => triage.topics,
      // @ts-expect-error -- the items are texts
      input: ({ item }) => ({ topic: item, depth: item }),
    });
    p.loop('m', ReviewAgent, {
      // @ts-expect-error -- there is no result before the first round
      input: ({ last }) => ({ topic: last.verdict, depth: 1 }),
      until: ({ last }) => last.depth > 1,
      max: 2,
    });
    // @ts-expect-error -- no agent and no pipeline
    p.agent('n', Date, { input: () => ({}) });
    // @ts-expect-error -- the nested pipeline needs a text
    p.pipeline('o', AdaptivePipeline, { input: () => ({ depth: 1 }) });
    // @ts-expect-error -- there is no such option
    p.agent('q', TriageAgent, { input: ({ input }) => input, timeoutMS: 5 });
    // @ts-expect-error -- the output depends on triage only
    return p.output({ triage }, ({ maybe }) => maybe);
  }
}
