import type { Type } from '@nestjs/common';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CarrelServer } from '../carrel-server.js';
import { OpenAiDouble, type ChatReply, type ChatRequest } from './openai-double.js';

/** A `models.json` in a folder of its own, for servers that talk to a double. */
export class ModelsFile implements AsyncDisposable {
  private constructor(
    private readonly folder: string,
    readonly path: string,
  ) {}

  static async write(double: OpenAiDouble, more: Record<string, unknown> = {}): Promise<ModelsFile> {
    const folder = await mkdtemp(join(tmpdir(), 'carrel-models-'));
    const path = join(folder, 'models.json');
    const file = {
      providers: { local: { baseURL: double.baseURL, apiKey: 'sk-local-secret-1' } },
      models: { default: { provider: 'local', model: 'm-default' } },
      ...more,
    };
    await writeFile(path, JSON.stringify(file));
    return new ModelsFile(folder, path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** A real server with a double as its provider. */
export class ModelServer implements AsyncDisposable {
  private constructor(
    readonly double: OpenAiDouble,
    readonly server: CarrelServer,
    private readonly file: ModelsFile,
  ) {}

  static async start(options: {
    answer?: (body: ChatRequest) => ChatReply;
    models?: Record<string, unknown>;
    agents?: readonly Type[];
    env?: Record<string, string>;
    logLines?: string[];
  }): Promise<ModelServer> {
    const double = await OpenAiDouble.start(options.answer ?? (() => ({ text: 'Hello' })));
    const file = await ModelsFile.write(double, options.models);
    const env = { CARREL_MODELS_FILE: file.path, CARREL_RETRY_BASE_MS: '1', ...options.env };
    try {
      const server = await CarrelServer.start({ agents: options.agents, env, logLines: options.logLines });
      return new ModelServer(double, server, file);
    } catch (error) {
      await double[Symbol.asyncDispose]();
      await file[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
    await this.double[Symbol.asyncDispose]();
    await this.file[Symbol.asyncDispose]();
  }
}
