import { Module } from '@nestjs/common';
import { CompareAgent } from './compare.agent.js';
import { SummariseAgent } from './summarise.agent.js';

/** The agents that ship with the server: they need no key and no network. */
@Module({ providers: [SummariseAgent, CompareAgent] })
export class LibraryModule {}
