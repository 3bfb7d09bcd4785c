import { Body, Controller, Get, Module, Param, Post, Scope } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import request from 'supertest';
import {
  CarrelModule,
  configureCarrel,
  ExecutionService,
  loadConfig,
  UserExecutionContext,
  type CarrelConfig,
  type RunId,
} from '../../src/index.js';
import { signToken } from '../../src/edge/token-signer.js';
import { ScriptedAgentsModule } from '../scripted-agents.module.js';

/** What a team writes: a controller of its own that lets an agent do the work. */
@Controller({ path: 'letters', scope: Scope.REQUEST })
class LettersController {
  constructor(
    private readonly context: UserExecutionContext,
    private readonly execution: ExecutionService,
  ) {}

  @Post()
  async write(@Body() { text }: { text: string }) {
    const { run } = await this.execution.submit(this.context, { agent: 'echo', input: { text } });
    const ended = await this.execution.waitForEnd(this.context, run.id, { timeoutMs: 10_000 });
    return { by: this.context.userId, runId: run.id, letter: ended.result };
  }

  @Get(':id')
  async read(@Param('id') id: RunId) {
    return (await this.execution.find(this.context, id)).result;
  }
}

describe("Carrel inside somebody's own Nest application", () => {
  let app: NestFastifyApplication;
  let config: CarrelConfig;
  let tokens: Record<'alice' | 'bob', string>;

  beforeAll(async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'carrel-embed-'));
    config = loadConfig({ CARREL_DATA_DIR: dataDir, CARREL_LOG_LEVEL: 'silent' });

    @Module({
      imports: [CarrelModule.forRoot({ config, imports: [ScriptedAgentsModule] })],
      controllers: [LettersController],
    })
    class AppModule {}

    app = await NestFactory.create<NestFastifyApplication>(AppModule, new FastifyAdapter(), { logger: false });
    configureCarrel(app, config);
    await app.listen(0, '127.0.0.1');
    const [alice, bob] = await Promise.all(
      ['alice', 'bob'].map((userId) => signToken(config, { userId, roles: [], ttlSeconds: 60 })),
    );
    tokens = { alice: alice!, bob: bob! };
  });

  afterAll(async () => {
    await app.close();
    await rm(config.data.dir, { recursive: true, force: true });
  });

  const as = (user: 'alice' | 'bob') => ({ authorization: `Bearer ${tokens[user]}` });

  it("gives each user's own controllers their own context, also when both ask at once", async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => {
        const user = i % 2 ? 'alice' : 'bob';
        return request(app.getHttpServer())
          .post('/letters')
          .set(as(user))
          .send({ text: `from ${user}` });
      }),
    );
    for (const [i, { status, body }] of answers.entries()) {
      const user = i % 2 ? 'alice' : 'bob';
      expect(status).toBe(201);
      expect(body).toMatchObject({ by: user, letter: { text: `from ${user}`, userId: user } });
    }
  });

  it('asks for a token at their doors too, and hides what belongs to another', async () => {
    await request(app.getHttpServer()).post('/letters').send({ text: 'x' }).expect(401);
    const { body } = await request(app.getHttpServer()).post('/letters').set(as('alice')).send({ text: 'mine' });
    await request(app.getHttpServer()).get(`/letters/${body.runId}`).set(as('alice')).expect(200);
    const answer = await request(app.getHttpServer()).get(`/letters/${body.runId}`).set(as('bob')).expect(404);
    expect(answer.body).toMatchObject({ code: 'not_found' });
  });

  it("serves Carrel's own doors beside them", async () => {
    await request(app.getHttpServer()).get('/v1/agents').set(as('bob')).expect(200);
    await request(app.getHttpServer()).get('/health').expect(200);
  });
});
