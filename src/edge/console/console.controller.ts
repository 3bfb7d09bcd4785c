import { Body, Controller, Get, Header, HttpCode, Post, Redirect } from '@nestjs/common';
import { CHECKED } from '../checked.pipe.js';
import { IsString, Length } from '../checks.js';
import { ApiExcludeController, ApiProperty } from '../openapi/api-decorators.js';
import { ConsoleSessions, type ConsoleSession } from './console-session.service.js';

const CODE = { message: 'code must be the one of the link' };

class SignInDto {
  @ApiProperty()
  @IsString(CODE)
  @Length(1, 4_096, CODE)
  code!: string;
}

/** What the console needs before anybody is signed in. Everything else it asks over the API, like any other client. */
@ApiExcludeController()
@Controller('console')
export class ConsoleController {
  constructor(private readonly sessions: ConsoleSessions) {}

  @Get()
  @Redirect('/console/', 301)
  folder(): void {}

  @Post('session')
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  session(@Body(CHECKED) { code }: SignInDto): Promise<ConsoleSession> {
    return this.sessions.begin(code);
  }
}
