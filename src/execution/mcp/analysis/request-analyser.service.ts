import { Inject, Injectable } from '@nestjs/common';
import type { UsableTool } from '../../../agents/tools/tool-definition.js';
import { CARREL_CONFIG, type CarrelConfig } from '../../../config/config.js';
import type { UserExecutionContext } from '../../../context/user-execution-context.js';
import { CLOCK, type Clock } from '../../../shared/clock.js';
import { CarrelError } from '../../../shared/errors.js';
import { whyNotPlainJson } from '../../../shared/json.js';
import { ToolSchemas } from '../../tools/tool-schemas.service.js';
import type { RequestDecision, ToolRequest } from './request-decision.js';
import { ToolIndexes } from './tool-indexes.service.js';

/** Says which of a user's tools a request needs, if it needs one. */
@Injectable()
export class RequestAnalyser {
  constructor(
    private readonly indexes: ToolIndexes,
    private readonly schemas: ToolSchemas,
    @Inject(CARREL_CONFIG) private readonly config: CarrelConfig,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * @param tools what the user may use from where the tool would be called; nothing else is ever suggested
   * @throws CarrelError `invalid_request` for arguments that are no plain, bounded data
   */
  async analyse(
    context: UserExecutionContext,
    tools: readonly UsableTool[],
    request: ToolRequest,
  ): Promise<RequestDecision> {
    const { server, tool, arguments: given = {} } = request;
    const bounds = { maxBytes: this.config.http.bodyLimitBytes, maxDepth: this.config.limits.jsonDepth };
    const reason = whyNotPlainJson(given, 'arguments', bounds);
    if (reason) throw new CarrelError('invalid_request', reason);
    const meant = tools.filter(
      (one) => (server === undefined || one.server === server) && (tool === undefined || one.tool === tool),
    );
    const index = await this.indexes.of(context.userId, meant);
    // with compromise and chrono-node, 630 modules: for those who have tools
    const { analyseRequest } = await import('./analyse-request.js');
    const checkOf = this.schemas.checkOf.bind(this.schemas);
    return analyseRequest(meant, request, { index, checkOf, nowMs: this.clock.now() });
  }
}
