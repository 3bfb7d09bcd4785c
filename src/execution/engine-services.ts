import { Injectable } from '@nestjs/common';
import { AgentInvoker } from '../agents/agent-invoker.service.js';
import { AgentRegistry } from '../agents/agent-registry.service.js';
import { CircuitBreakers } from './circuit-breakers.js';
import { HookChain } from './hooks/hook-chain.service.js';

/** What every engine works with, whoever's run it carries out. */
@Injectable()
export class EngineServices {
  constructor(
    readonly registry: AgentRegistry,
    readonly invoker: AgentInvoker,
    readonly breakers: CircuitBreakers,
    readonly hooks: HookChain,
  ) {}
}
