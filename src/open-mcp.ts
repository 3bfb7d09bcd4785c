import { Global, Module, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CARREL_CONFIG, type CarrelConfig } from './config/config.js';
import { UserExecutionContext } from './context/user-execution-context.js';
import { ToolReview } from './execution/mcp/accepted/tool-review.service.js';
import { McpModule } from './execution/mcp/mcp.module.js';
import { CLOCK, systemClock } from './shared/clock.js';
import { newId, type UserId } from './shared/ids.js';

export type { ReviewedServer, ReviewedTool } from './execution/mcp/accepted/tool-review.service.js';

/** For whom the operator looks at the servers: their values stand in for those of any user. */
export interface ReviewingUser {
  readonly userId: UserId;
  readonly claims: Readonly<Record<string, string>>;
}

/**
 * The MCP servers alone, without the rest of the server and without its data folder, so that it may run meanwhile. Nothing of
 * them is left when `work` has ended.
 */
export async function withMcp<T>(
  config: CarrelConfig,
  { userId, claims }: ReviewingUser,
  work: (review: ToolReview, context: UserExecutionContext) => Promise<T>,
): Promise<T> {
  const app = await NestFactory.createApplicationContext(McpOnlyModule.forRoot(config), {
    abortOnError: false,
    logger: false,
  });
  try {
    const createdAtMs = systemClock.now();
    const context = new UserExecutionContext({ userId, claims, requestId: newId('req'), createdAtMs });
    return await work(app.get(ToolReview), context);
  } finally {
    await app.close();
  }
}

@Global()
@Module({})
class McpOnlyModule {
  static forRoot(config: CarrelConfig): DynamicModule {
    const providers = [
      { provide: CARREL_CONFIG, useValue: config },
      { provide: CLOCK, useValue: systemClock },
    ];
    return { module: McpOnlyModule, imports: [McpModule], providers, exports: [CARREL_CONFIG, CLOCK] };
  }
}
