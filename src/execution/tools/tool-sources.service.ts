import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { OWN_TOOLS } from '../../agents/tools/tool-definition.js';
import { CarrelError } from '../../shared/errors.js';
import { TOOL_SAMPLER, type ToolSampler } from './tool-sampler.port.js';
import { TOOL_SOURCES, type ToolSource } from './tool-source.port.js';

/**
 * The sources of all modules, and whoever has models answer for them. They are found by their tokens, so that a module that
 * contributes one need not be known here.
 */
@Injectable()
export class ToolSources implements OnModuleInit {
  private readonly byServer = new Map<string, ToolSource>();
  private found: ToolSampler | undefined;

  constructor(private readonly discovery: DiscoveryService) {}

  /** @throws CarrelError `invalid_config` when two sources speak for one server */
  onModuleInit(): void {
    this.found = this.instancesOf<ToolSampler>(TOOL_SAMPLER)[0];
    for (const source of this.instancesOf<ToolSource>(TOOL_SOURCES)) {
      for (const server of source.servers()) {
        const other = this.byServer.get(server);
        if (other)
          throw new CarrelError('invalid_config', `the server of tools "${server}" is there twice; rename one`);
        this.byServer.set(server, source);
      }
    }
  }

  /** Own tools first. */
  get servers(): readonly string[] {
    return [...this.byServer.keys()].toSorted((a, b) => Number(b === OWN_TOOLS) - Number(a === OWN_TOOLS));
  }

  get sampler(): ToolSampler | undefined {
    return this.found;
  }

  find(server: string): ToolSource | undefined {
    return this.byServer.get(server);
  }

  private instancesOf<Instance>(token: symbol): Instance[] {
    const providers = this.discovery.getProviders().filter((provider) => provider.token === token);
    return [...new Set(providers.map(({ instance }) => instance as Instance))];
  }
}
