import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { UserExecutionContext } from '../context/user-execution-context.js';
import { ScheduleService } from '../execution/schedule.service.js';
import type { ScheduleId } from '../shared/ids.js';
import { CHECKED } from './checked.pipe.js';
import { CurrentContext } from './current-context.decorator.js';
import { SCHEDULE_ID } from './id-pipes.js';
import { toListView, type ListView } from './list-view.js';
import { ApiParam, ApiTags, Documented } from './openapi/api-decorators.js';
import { SCHEDULE_ID_PARAM } from './openapi/path-params.js';
import { ScheduleListQuery } from './schedule-list.query.js';
import { NewScheduleDto, ScheduleChangeDto } from './schedule.dto.js';
import { toScheduleView, type ScheduleView } from './schedule-view.js';

const BODY_PROBLEMS = ['invalid_request', 'invalid_schedule', 'payload_too_large', 'unsupported_media_type'] as const;

/** The caller's recurring runs. */
@ApiTags('Schedules')
@Controller('v1/schedules')
export class SchedulesController {
  constructor(private readonly schedules: ScheduleService) {}

  @Documented({
    summary: 'Make a schedule',
    description: 'A time whose last run has not ended is left out, and `lastSkipped` says so.',
    answers: { 201: { description: 'It is made.', schema: 'Schedule', headers: { Location: 'The path of it.' } } },
    problems: [
      ...BODY_PROBLEMS,
      'invalid_input',
      'unknown_agent',
      'unknown_pipeline',
      'invalid_pipeline',
      'too_many_schedules',
    ],
  })
  @Post()
  async create(
    @CurrentContext() context: UserExecutionContext,
    @Body(CHECKED) body: NewScheduleDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ScheduleView> {
    const schedule = await this.schedules.create(context, body);
    reply.header('location', `/v1/schedules/${schedule.id}`);
    return toScheduleView(schedule);
  }

  @Documented({
    summary: 'Your schedules',
    answers: { 200: { description: 'A page of them.', schema: 'ScheduleList' } },
    problems: ['invalid_request'],
  })
  @Get()
  async list(
    @CurrentContext() context: UserExecutionContext,
    @Query(CHECKED) { limit, cursor }: ScheduleListQuery,
  ): Promise<ListView<ScheduleView>> {
    return toListView(await this.schedules.list(context, { limit, cursor }), toScheduleView);
  }

  @Documented({
    summary: 'One schedule',
    answers: { 200: { description: 'With its next time and what became of the last one.', schema: 'Schedule' } },
    problems: ['not_found'],
  })
  @ApiParam(SCHEDULE_ID_PARAM)
  @Get(':id')
  async find(
    @CurrentContext() context: UserExecutionContext,
    @Param('id', SCHEDULE_ID) scheduleId: ScheduleId,
  ): Promise<ScheduleView> {
    return toScheduleView(await this.schedules.find(context, scheduleId));
  }

  @Documented({
    summary: 'Change a schedule',
    description: 'What is left out stays as it is. Its runs have your roles as they are now.',
    answers: { 200: { description: 'The schedule as it is now.', schema: 'Schedule' } },
    problems: [...BODY_PROBLEMS, 'invalid_input', 'not_found'],
  })
  @ApiParam(SCHEDULE_ID_PARAM)
  @Patch(':id')
  async change(
    @CurrentContext() context: UserExecutionContext,
    @Param('id', SCHEDULE_ID) scheduleId: ScheduleId,
    @Body(CHECKED) body: ScheduleChangeDto,
  ): Promise<ScheduleView> {
    return toScheduleView(await this.schedules.change(context, scheduleId, body));
  }

  @Documented({
    summary: 'Delete a schedule',
    description: 'Its runs stay.',
    answers: { 204: { description: 'It is gone.' } },
    problems: ['not_found'],
  })
  @ApiParam(SCHEDULE_ID_PARAM)
  @Delete(':id')
  @HttpCode(204)
  async delete(
    @CurrentContext() context: UserExecutionContext,
    @Param('id', SCHEDULE_ID) scheduleId: ScheduleId,
  ): Promise<void> {
    await this.schedules.delete(context, scheduleId);
  }
}
