import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { CarrelError } from '../../shared/errors.js';
import { discoverTools, type DiscoveredTool } from './agent-tool-discovery.js';
import { defineAgentTool, type OwnTool } from './define-agent-tool.js';

/** The application's own tools: how they are declared, never instances. It never changes after the boot. */
@Injectable()
export class AgentToolRegistry implements OnModuleInit {
  #byName: ReadonlyMap<string, OwnTool> = new Map();

  constructor(private readonly discovery: DiscoveryService) {}

  /** @throws CarrelError `invalid_agent` that names every wrongly declared method, its class and module, and the fix */
  onModuleInit(): void {
    this.#byName = new Map(
      defineAll(discoverTools(this.discovery))
        .toSorted((a, b) => (a.definition.tool < b.definition.tool ? -1 : 1))
        .map((tool) => [tool.definition.tool, tool]),
    );
  }

  find(name: string): OwnTool | undefined {
    return this.#byName.get(name);
  }

  /** Sorted by name. */
  list(): readonly OwnTool[] {
    return [...this.#byName.values()];
  }
}

function defineAll(discovered: readonly DiscoveredTool[]): OwnTool[] {
  const tools = new Map<string, OwnTool>();
  const problems: string[] = [];
  for (const method of discovered) {
    const tool = defineAgentTool(method);
    if (!('definition' in tool)) {
      problems.push(...tool.map((problem) => `${whereabouts(method)}: ${problem}`));
      continue;
    }
    const name = tool.definition.tool;
    const other = tools.get(name);
    if (other) {
      const text = `its name "${name}" is taken by ${whereabouts(other.method)}; rename one of them`;
      problems.push(`${whereabouts(method)}: ${text}`);
    }
    tools.set(name, tool);
  }
  if (problems.length > 0) throw new CarrelError('invalid_agent', problems.join('\n'));
  return [...tools.values()];
}

function whereabouts({ targetClass, methodName, provider }: DiscoveredTool): string {
  return `${targetClass.name || 'a class without a name'}.${methodName} (in ${provider.host?.metatype.name ?? 'an unknown module'})`;
}
