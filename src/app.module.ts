import type { Logger } from 'pino';
import { Global, Module, type DynamicModule, type ModuleMetadata } from '@nestjs/common';
import { LibraryModule } from './agents/library/library.module.js';
import { CARREL_CONFIG, type CarrelConfig } from './config/config.js';
import { roleOf } from './config/node-role.js';
import { ContextModule } from './context/context.module.js';
import { InProcessDispatcher } from './dispatch/in-process.dispatcher.js';
import { EdgeModule } from './edge/edge.module.js';
import { LoggingModule } from './edge/logging.js';
import { SharedStateModule } from './edge/shared-state.module.js';
import { WorkerEdgeModule } from './edge/worker-edge.module.js';
import { HealthParts } from './execution/health-parts.js';
import { ToolsAgentModule } from './execution/mcp/library/tools-agent.module.js';
import { AssistantModule } from './execution/models/library/assistant.module.js';
import { ModelsModule } from './execution/models/models.module.js';
import { hasDefaultModel, type GivenModels } from './execution/models/providers/load-models.js';
import { PipelineLibraryModule } from './execution/pipeline/library/pipeline-library.module.js';
import { MetricsRegistryModule } from './execution/metrics/metrics-registry.module.js';
import { RUN_DISPATCHER } from './execution/run-dispatcher.port.js';
import { Tracing } from './execution/tracing/tracing.service.js';
import { CLOCK, systemClock } from './shared/clock.js';
import { StorageModule } from './storage/storage.module.js';

export interface CarrelModuleOptions {
  /** From `loadConfig`. */
  config: CarrelConfig;
  /** Modules that provide agents, beside the shipped ones. */
  imports?: ModuleMetadata['imports'];
  /**
   * Language models as objects (of the AI SDK, or `scriptedModel` of `carrel/testing`), by the names that agents use: beside
   * those of the configuration, or in their place. The one called `default` is used by agents that name none.
   */
  models?: GivenModels;
  /** Writes the log. @default one of Carrel's own, to stdout */
  logger?: Logger;
}

/** The composition root: the only place that knows which adapter is behind which port. */
@Module({})
export class CarrelModule {
  static forRoot({ config, imports = [], models = {}, logger }: CarrelModuleOptions): DynamicModule {
    const isWorker = roleOf(config) === 'worker';
    const edge = isWorker ? WorkerEdgeModule : EdgeModule;
    return {
      module: CarrelModule,
      imports: [
        PlatformModule.forRoot(config),
        LoggingModule.forRoot(config.log, logger),
        ContextModule,
        LibraryModule,
        PipelineLibraryModule,
        ToolsAgentModule,
        ModelsModule.forRoot(models),
        ...(hasDefaultModel(config.models, models) ? [AssistantModule] : []),
        edge,
        ...(config.http.acceptSharedState && !isWorker ? [SharedStateModule] : []),
        ...imports,
      ],
      exports: [edge],
    };
  }
}

/** What every part stands on: configuration, time, and the adapters of the profile. */
@Global()
@Module({})
class PlatformModule {
  static forRoot(config: CarrelConfig): DynamicModule {
    const isAlone = config.profile.kind === 'embedded';
    return {
      module: PlatformModule,
      imports: [StorageModule, MetricsRegistryModule, ...redisOf(config)],
      providers: [
        { provide: CARREL_CONFIG, useValue: config },
        { provide: CLOCK, useValue: systemClock },
        ...(isAlone ? [{ provide: RUN_DISPATCHER, useClass: InProcessDispatcher }] : []),
        HealthParts,
        { provide: Tracing, useFactory: () => Tracing.open(config) },
      ],
      exports: [
        CARREL_CONFIG,
        CLOCK,
        ...(isAlone ? [RUN_DISPATCHER] : []),
        HealthParts,
        MetricsRegistryModule,
        Tracing,
        StorageModule,
      ],
    };
  }
}

/** Only where several nodes share their work is anything of Redis loaded. */
function redisOf({ profile }: CarrelConfig): Promise<DynamicModule>[] {
  if (profile.kind === 'embedded') return [];
  return [import('./dispatch/redis.module.js').then(({ RedisModule }) => RedisModule.forRoot(profile))];
}
