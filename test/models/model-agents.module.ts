import { Injectable, Module } from '@nestjs/common';
import { z } from 'zod';
import { Agent, AgentTool, LlmAgent, UserExecutionContext, type LlmProgress } from '../../src/index.js';

const Numbers = z.object({ a: z.number(), b: z.number() });
const Word = z.object({ word: z.string() });

/** Tools of the application, which keep what they were called with. */
@Injectable()
export class DeskTools {
  readonly added: { a: number; b: number }[] = [];
  readonly noted: string[] = [];
  /** Calls of `look` that are under way now, and the most there ever were. */
  looking = 0;
  mostLooking = 0;
  private readonly gate = Promise.withResolvers<void>();

  @AgentTool({ name: 'add', description: 'Adds two numbers', input: Numbers, effect: 'read' })
  add(input: z.infer<typeof Numbers>): number {
    this.added.push(input);
    return input.a + input.b;
  }

  @AgentTool({ name: 'look', description: 'Waits until two look at once', input: Word, effect: 'read' })
  async look({ word }: z.infer<typeof Word>): Promise<string> {
    this.mostLooking = Math.max(this.mostLooking, ++this.looking);
    if (this.looking === 2) this.gate.resolve();
    await this.gate.promise;
    this.looking--;
    return `saw ${word}`;
  }

  @AgentTool({ name: 'note', description: 'Writes a word down', input: Word, effect: 'once' })
  note({ word }: z.infer<typeof Word>): string {
    this.noted.push(word);
    return `noted ${word}`;
  }

  @AgentTool({ name: 'burn', description: 'Burns the notes', input: Word, effect: 'once', needsApproval: true })
  burn({ word }: z.infer<typeof Word>): string {
    return `burnt ${word}`;
  }
}

const Question = z.object({ text: z.string() });
type Question = z.infer<typeof Question>;
const Place = z.object({ city: z.string(), people: z.number() });

@Agent({ name: 'reader', description: 'Answers with data', input: Question })
class ReaderAgent extends LlmAgent<Question, z.infer<typeof Place>> {
  override readonly output = Place;

  prompt({ text }: Question): string {
    return text;
  }
}

@Agent({ name: 'adder', description: 'Adds, and stops when it has', input: Question })
export class AdderAgent extends LlmAgent<Question> {
  override readonly tools = ['app/add'];
  override readonly maxModelCalls = 3;

  override instructions(): string {
    return 'You add.';
  }

  prompt({ text }: Question): string {
    return text;
  }

  override stopWhen({ text }: LlmProgress): boolean {
    return text.includes('enough');
  }
}

@Agent({ name: 'on-fast', description: 'Names its model', input: Question })
class OnFastAgent extends LlmAgent<Question> {
  override readonly model = 'fast';

  prompt({ text }: Question): string {
    return text;
  }
}

@Module({ providers: [DeskTools, ReaderAgent, AdderAgent], exports: [DeskTools] })
export class DeskModule {}

@Agent({ name: 'by-role', description: 'Has the big model for those who pay', input: Question })
class ByRoleAgent extends LlmAgent<Question> {
  override readonly model: string;

  constructor({ roles }: UserExecutionContext) {
    super();
    this.model = roles.includes('premium') ? 'big' : 'default';
  }

  prompt({ text }: Question): string {
    return text;
  }
}

@Module({ providers: [OnFastAgent, ByRoleAgent] })
export class OnFastModule {}
