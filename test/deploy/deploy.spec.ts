import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { ENV_SCHEMA } from '../../src/config/env.schema.js';
import { CarrelServer } from '../carrel-server.js';

const KUBERNETES = 'deploy/kubernetes';
const dockerfile = readFileSync('Dockerfile', 'utf8');

interface Resource {
  kind: string;
  metadata: { name: string };
  spec: Record<string, unknown>;
  stringData?: Record<string, string>;
}
interface Probe {
  httpGet: { path: string; port: string };
}
interface EnvVar {
  name: string;
  value?: string;
  valueFrom?: { secretKeyRef: { name: string; key: string } };
}
interface Container {
  env: EnvVar[];
  ports: { name: string; containerPort: number }[];
  startupProbe: Probe;
  livenessProbe: Probe;
  readinessProbe: Probe;
  lifecycle: { preStop: { sleep: { seconds: number } } };
}
interface PodSpec {
  terminationGracePeriodSeconds: number;
  securityContext: { runAsNonRoot: boolean };
  containers: [Container];
}

const resources = readdirSync(KUBERNETES).flatMap((file) =>
  parseAllDocuments(readFileSync(join(KUBERNETES, file), 'utf8')).map((one) => {
    expect([file, one.errors]).toEqual([file, []]);
    return one.toJS() as Resource;
  }),
);
const resource = (kind: string) => resources.find((one) => one.kind === kind)!;
const pod = resource('Deployment').spec.template as { spec: PodSpec; metadata: { labels: object } };
const [container] = pod.spec.containers;
const compose = parse(readFileSync('compose.yaml', 'utf8'), { merge: true }) as {
  services: Record<
    string,
    {
      environment?: Record<string, string>;
      ports?: string[];
      volumes?: string[];
      stop_grace_period?: string;
      depends_on?: object;
    }
  >;
  configs: { caddyfile: { content: string } };
};

function problemsWith(env: Record<string, string | undefined>): string[] {
  return Object.entries(env).flatMap(([name, value]) => {
    const setting = ENV_SCHEMA.shape[name as keyof typeof ENV_SCHEMA.shape];
    if (!setting) return [`${name} is no setting`];
    const isChecked = value !== undefined && !value.includes('${');
    return isChecked && !setting.safeParse(value).success ? [`${name} must not be ${value}`] : [];
  });
}

/** `ENV A=1 B=2` of the last stage. */
function imageEnv(): Record<string, string> {
  const line = /^ENV (.+)$/m.exec(dockerfile)![1]!;
  return Object.fromEntries(line.split(' ').map((pair) => pair.split('=') as [string, string]));
}

describe('the image', () => {
  it('has settings that exist, listens where it says, and runs as nobody special on the right Node', () => {
    expect(problemsWith(imageEnv())).toEqual([]);
    expect(dockerfile).toContain(`EXPOSE ${imageEnv().PORT}`);
    const stages = [...dockerfile.matchAll(/^FROM node:(\d+)/gm)].map(([, major]) => major);
    const { engines, bin } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      engines: { node: string };
      bin: { carrel: string };
    };
    expect(stages).toEqual(['24', '24']);
    expect(engines.node).toBe('>=24');
    expect(dockerfile.lastIndexOf('\nUSER node\n')).toBeGreaterThan(dockerfile.lastIndexOf('\nFROM '));
    expect(dockerfile).toContain(`"node", "${bin.carrel}"]`);
    expect(dockerfile).toMatch(/^ENTRYPOINT \["\/usr\/bin\/tini", "--", /m);
  });

  it('copies what is there, and what is ignored is not needed for the build', () => {
    const [, ...kept] = readFileSync('.dockerignore', 'utf8').trim().split('\n');
    for (const name of [
      'package.json',
      'package-lock.json',
      'src',
      'console',
      'docs',
      'nest-cli.json',
      'tsconfig.build.json',
      'tsconfig.json',
    ])
      expect([name, existsSync(name), kept.includes(`!${name}`)]).toEqual([name, true, true]);
  });
});

describe('the example for Kubernetes', () => {
  it('has settings that exist, and secrets that the example names', () => {
    expect(problemsWith(Object.fromEntries(container.env.map(({ name, value }) => [name, value])))).toEqual([]);
    const keys = Object.keys(resource('Secret').stringData!);
    for (const { valueFrom } of container.env) if (valueFrom) expect(keys).toContain(valueFrom.secretKeyRef.key);
  });

  it('asks the server at its port, by paths that answer', async () => {
    await using server = await CarrelServer.start();
    const port = Number(container.env.find(({ name }) => name === 'PORT')!.value);
    expect(container.ports).toEqual([{ name: 'http', containerPort: port }]);
    const probes = [container.startupProbe, container.livenessProbe, container.readinessProbe];
    expect(probes.map(({ httpGet }) => httpGet.path)).toEqual(['/health', '/health', '/ready']);
    for (const { httpGet } of probes) {
      expect(httpGet.port).toBe('http');
      expect((await fetch(server.url + httpGet.path)).status).toBe(200);
    }
    const service = resource('Service').spec as { selector: object; ports: { targetPort: string }[] };
    expect(service.ports[0]!.targetPort).toBe('http');
    expect(pod.metadata.labels).toMatchObject(service.selector);
  });

  it('gives a process that stops the time that it takes, and lets it be no root', () => {
    const drainMs = Number(container.env.find(({ name }) => name === 'CARREL_DRAIN_MS')!.value);
    const needed = container.lifecycle.preStop.sleep.seconds + drainMs / 1_000 + 5;
    expect(pod.spec.terminationGracePeriodSeconds).toBeGreaterThan(needed);
    expect(pod.spec.securityContext.runAsNonRoot).toBe(true);
  });

  it('has one process for its volume, and ends it before the next one begins', () => {
    const { replicas, strategy } = resource('Deployment').spec as { replicas: number; strategy: { type: string } };
    expect([replicas, strategy.type]).toEqual([1, 'Recreate']);
    const { volumes } = pod.spec as unknown as {
      volumes: { name: string; persistentVolumeClaim?: { claimName: string } }[];
    };
    const claim = volumes.find(({ name }) => name === 'data')!.persistentVolumeClaim!.claimName;
    expect(resource('PersistentVolumeClaim').metadata.name).toBe(claim);
  });
});

describe('compose.yaml', () => {
  const { services, configs } = compose;

  it('has a server with settings that exist and a volume, behind a load balancer that knows it', () => {
    const { environment, stop_grace_period, volumes } = services.carrel!;
    expect(problemsWith(environment!)).toEqual([]);
    expect(Number.parseInt(stop_grace_period!, 10) * 1_000).toBeGreaterThan(
      Number(environment!.CARREL_DRAIN_MS) + 5_000,
    );
    expect(configs.caddyfile.content).toContain(`carrel:${imageEnv().PORT}`);
    expect(volumes).toEqual([`data:${imageEnv().CARREL_DATA_DIR}`]);
    const [port] = services.balancer!.ports!;
    expect(configs.caddyfile.content).toContain(`:${port!.split(':')[1]} {`);
    expect(configs.caddyfile.content).toContain('health_uri /ready');
    expect(configs.caddyfile.content).toContain('respond /metrics 404');
  });

  it('depends on services that are there', () => {
    for (const { depends_on = {} } of Object.values(services)) {
      const names = Array.isArray(depends_on) ? (depends_on as string[]) : Object.keys(depends_on);
      for (const name of names) expect(Object.keys(services)).toContain(name);
    }
  });
});
