import { Module } from '@nestjs/common';
import { AgentsModule } from '../../../agents/agents.module.js';
import { RequestAnalysisModule } from '../analysis/request-analysis.module.js';
import { ToolsAgent } from './tools.agent.js';

/** The agent that calls tools from plain words; it ships with the server. */
@Module({ imports: [AgentsModule, RequestAnalysisModule], providers: [ToolsAgent] })
export class ToolsAgentModule {}
