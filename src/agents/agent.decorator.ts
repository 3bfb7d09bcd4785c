// oxlint-disable-next-line import/no-unassigned-import -- what the decorators below write to
import 'reflect-metadata';
// not the whole of Nest, for agents in workers load this at each attempt
import { Injectable } from '@nestjs/common/decorators/core/injectable.decorator.js';
import { Scope } from '@nestjs/common/interfaces/scope-options.interface.js';
import type { AgentClass, AgentOptions } from './agent-provider.js';

/** A text, not a symbol: an agent's package may have a copy of this module of its own. */
const AGENT_METADATA = 'carrel:agent';

/**
 * Makes a class an agent: a request-scoped provider that the registry finds in whatever module provides it. In plain
 * JavaScript call it: `Agent({ … })(SomeClass)`, which returns the class. Mistakes are refused at boot, by name.
 */
export function Agent(options: AgentOptions) {
  return <Class extends AgentClass>(agentClass: Class): Class => {
    Injectable({ scope: Scope.REQUEST })(agentClass);
    Reflect.defineMetadata(AGENT_METADATA, options, agentClass);
    return agentClass;
  };
}

/** How a class was declared; `undefined` for what is no agent itself, whatever it inherits from. Not checked yet. */
export function declaredOptions(candidate: object): unknown {
  return Reflect.getOwnMetadata(AGENT_METADATA, candidate);
}
