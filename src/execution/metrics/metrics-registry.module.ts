import { Module } from '@nestjs/common';
import { MetricsRegistry } from './metrics-registry.js';

/** The one registry, for whoever counts something. */
@Module({ providers: [MetricsRegistry], exports: [MetricsRegistry] })
export class MetricsRegistryModule {}
