import { Module, type DynamicModule } from '@nestjs/common';
import { AgentsModule } from '../../agents/agents.module.js';
import { CARREL_CONFIG, type CarrelConfig } from '../../config/config.js';
import { TOOL_SAMPLER } from '../tools/tool-sampler.port.js';
import { BudgetsModule } from './budgets.module.js';
import { ConversationsModule } from './conversations.module.js';
import { LlmAgentCheck } from './llm-agent-check.service.js';
import { LlmRunner } from './llm-runner.service.js';
import { ModelCalls } from './model-calls.service.js';
import { loadModels, type GivenModels } from './providers/load-models.js';
import { ModelRegistry } from './providers/model-registry.service.js';
import { Sampler } from './sampler.service.js';

/** Language models, and what agents need to use them. Global, for agents are in anybody's modules. */
@Module({})
export class ModelsModule {
  /** @param given models as objects, beside those of the configuration or in their place */
  static forRoot(given: GivenModels): DynamicModule {
    return {
      module: ModelsModule,
      global: true,
      imports: [AgentsModule, BudgetsModule, ConversationsModule],
      providers: [
        LlmAgentCheck,
        LlmRunner,
        ModelCalls,
        Sampler,
        {
          provide: ModelRegistry,
          inject: [CARREL_CONFIG],
          useFactory: ({ models }: CarrelConfig) => loadModels(models, given, models?.folder ?? process.cwd()),
        },
        {
          provide: TOOL_SAMPLER,
          inject: [ModelRegistry, Sampler],
          useFactory: (models: ModelRegistry, sampler: Sampler) => (models.hasDefault ? sampler : undefined),
        },
      ],
      exports: [LlmRunner, ModelRegistry, TOOL_SAMPLER],
    };
  }
}
