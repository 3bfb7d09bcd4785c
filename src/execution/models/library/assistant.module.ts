import { Module } from '@nestjs/common';
import { AssistantAgent } from './assistant.agent.js';

/** The agent that is there when there is a default model. */
@Module({ providers: [AssistantAgent] })
export class AssistantModule {}
