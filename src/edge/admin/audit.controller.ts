import { Controller, Get, Inject, Query } from '@nestjs/common';
import type { UserExecutionContext } from '../../context/user-execution-context.js';
import {
  OPERATIONS_STORE,
  type AuditEntry,
  type OperationsStore,
} from '../../execution/operations/operations-store.port.js';
import { CHECKED } from '../checked.pipe.js';
import { toListView } from '../list-view.js';
import { ApiTags, Documented } from '../openapi/api-decorators.js';
import { isoTime } from '../run-view.js';
import { AuditQuery } from './audit.query.js';
import { CurrentOperator, NEEDS_ROLE } from './operator.decorator.js';

/** What operators did. */
@ApiTags('Operators')
@Controller('v1/admin/audit')
export class AuditController {
  constructor(@Inject(OPERATIONS_STORE) private readonly operations: OperationsStore) {}

  @Documented({
    summary: 'What operators did',
    description: `${NEEDS_ROLE} Who, when, what and whom; kept for \`CARREL_AUDIT_DAYS\`.`,
    answers: { 200: { description: 'A page of entries, the newest first.', schema: 'AuditEntryList' } },
    problems: ['forbidden', 'invalid_request'],
  })
  @Get()
  async list(@CurrentOperator() _operator: UserExecutionContext, @Query(CHECKED) { limit, cursor }: AuditQuery) {
    return toListView(await this.operations.audit({ limit, cursor }), toView);
  }
}

function toView({ atMs, ...entry }: AuditEntry) {
  return { ...entry, at: isoTime(atMs) };
}
