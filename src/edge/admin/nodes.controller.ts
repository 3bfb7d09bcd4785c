import { Controller, Get, Inject } from '@nestjs/common';
import type { UserExecutionContext } from '../../context/user-execution-context.js';
import { NodeIdentity } from '../../execution/node-identity.js';
import { NODE_REGISTRY, type NodeRegistry } from '../../execution/node-registry.port.js';
import { Readiness } from '../../execution/readiness.js';
import { ApiTags, Documented } from '../openapi/api-decorators.js';
import { isoTime } from '../run-view.js';
import { CurrentOperator, NEEDS_ROLE } from './operator.decorator.js';

/** The processes that there are. */
@ApiTags('Operators')
@Controller('v1/admin/nodes')
export class NodesController {
  constructor(
    private readonly self: NodeIdentity,
    @Inject(NODE_REGISTRY) private readonly nodes: NodeRegistry,
    private readonly readiness: Readiness,
  ) {}

  @Documented({
    summary: 'The processes that there are',
    description: `${NEEDS_ROLE} One that has given no sign of life for 12 seconds is dead, and not in here.`,
    answers: { 200: { description: 'The oldest first.', schema: 'NodeList' } },
    problems: ['forbidden'],
  })
  @Get()
  async list(@CurrentOperator() _operator: UserExecutionContext) {
    const nodes = await this.nodes.living();
    return {
      items: nodes.map(({ startedAtMs, beatAtMs, ...node }) => {
        const isThisOne = node.id === this.self.id;
        const draining = node.draining || (isThisOne && this.readiness.state === 'draining');
        return { ...node, startedAt: isoTime(startedAtMs), beatAt: isoTime(beatAtMs), draining, isThisOne };
      }),
    };
  }
}
