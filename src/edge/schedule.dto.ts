import type { ScheduleRecord } from '../execution/schedule-store.port.js';
import { Allow, IfGiven, IsBoolean, IsGiven, IsIn, IsString, Length } from './checks.js';
import { ApiProperty, ApiPropertyOptional } from './openapi/api-decorators.js';
import { ANY_JSON } from './openapi/body-parts.js';
import { WhatToRunDto } from './start-run.dto.js';
import { MISSED } from './wire-choices.js';

const CRON = { message: 'cron must be five fields, or six with seconds, such as "30 9 * * 1-5"' };
const TIME_ZONE = { message: 'timeZone must be the IANA name of a time zone, such as Europe/Berlin' };

const CRON_PROPERTY = {
  description: 'Five fields, or six with seconds first.',
  minLength: 1,
  maxLength: 128,
  example: '30 9 * * 1-5',
};
const INPUT_PROPERTY = {
  description: 'What each run gets. It must fit the `inputSchema` of the agent or pipeline.',
  anyOf: ANY_JSON,
  example: { text: 'A long text …' },
};

/** What can be said of a schedule, and need not be. What a cron expression may be is the execution's to say. */
class ScheduleDto extends WhatToRunDto {
  @ApiPropertyOptional({ description: 'IANA name.', maxLength: 64, default: 'UTC', example: 'Europe/Berlin' })
  @IfGiven()
  @IsString(TIME_ZONE)
  @Length(1, 64, TIME_ZONE)
  timeZone?: string;

  @ApiPropertyOptional({
    enum: [...MISSED],
    default: 'skip',
    description: 'What becomes of times that passed while no server ran: nothing, or one run for all of them.',
  })
  @IfGiven()
  @IsIn(MISSED, { message: `missed must be one of ${MISSED.join(', ')}` })
  missed?: ScheduleRecord['missed'];

  @ApiPropertyOptional({ default: false, description: 'It starts nothing while it is paused.' })
  @IfGiven()
  @IsBoolean({ message: 'paused must be true or false' })
  paused?: boolean;
}

/** What `POST /v1/schedules` takes. */
export class NewScheduleDto extends ScheduleDto {
  @ApiProperty(CRON_PROPERTY)
  @IsString(CRON)
  @Length(1, 128, CRON)
  cron!: string;

  @ApiProperty(INPUT_PROPERTY)
  @IsGiven()
  input: unknown;
}

/** What `PATCH /v1/schedules/:id` takes: what is left out stays as it is. */
export class ScheduleChangeDto extends ScheduleDto {
  @ApiPropertyOptional(CRON_PROPERTY)
  @IfGiven()
  @IsString(CRON)
  @Length(1, 128, CRON)
  cron?: string;

  @ApiPropertyOptional(INPUT_PROPERTY)
  @Allow()
  input?: unknown;
}
