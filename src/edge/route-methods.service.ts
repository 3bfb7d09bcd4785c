import { Injectable } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';

/** Which methods each path of the application has, to tell a wrong method from a wrong path. */
@Injectable()
export class RouteMethods {
  private readonly routes = new Map<string, { pattern: RegExp; methods: Set<string> }>();

  /** Must be called before Nest adds its routes, which is before it calls any hook of a provider. */
  watch(fastify: Pick<FastifyInstance, 'addHook'>): void {
    fastify.addHook('onRoute', ({ url, method }) => this.add(url, [method].flat()));
  }

  /** Of a path without its query; empty when there is no such path. */
  of(path: string): string[] {
    for (const { pattern, methods } of this.routes.values()) if (pattern.test(path)) return [...methods].toSorted();
    return [];
  }

  private add(url: string, methods: readonly string[]): void {
    if (url.includes('*')) return;
    const route = this.routes.get(url) ?? { pattern: patternOf(url), methods: new Set() };
    this.routes.set(url, route);
    for (const method of methods) route.methods.add(method);
  }
}

function patternOf(url: string): RegExp {
  const parts = url.split('/').map((part) => (part.startsWith(':') ? '[^/]+' : part.replaceAll(/[^\w-]/g, '\\$&')));
  return new RegExp(`^${parts.join('/')}$`);
}
