import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { ENV_SCHEMA } from '../../src/config/env.schema.js';
import { READING } from '../../src/cli/demo.command.js';
import { CarrelServer } from '../carrel-server.js';

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
  lifecycle?: { preStop: { sleep: { seconds: number } } };
}
interface PodSpec {
  terminationGracePeriodSeconds: number;
  securityContext: { runAsNonRoot: boolean };
  containers: [Container];
}

/** The example of a folder. */
class Example {
  private readonly resources: readonly Resource[];

  constructor(name: string) {
    const folder = join('deploy/kubernetes', name);
    this.resources = readdirSync(folder).flatMap((file) =>
      parseAllDocuments(readFileSync(join(folder, file), 'utf8')).map((one) => {
        expect([file, one.errors]).toEqual([file, []]);
        return one.toJS() as Resource;
      }),
    );
  }

  all(kind: string): readonly Resource[] {
    return this.resources.filter((one) => one.kind === kind);
  }

  one(kind: string, name = 'carrel'): Resource {
    return this.resources.find((one) => one.kind === kind && one.metadata.name === name)!;
  }
}

interface Compose {
  services: Record<
    string,
    {
      environment?: Record<string, string>;
      ports?: string[];
      volumes?: string[];
      stop_grace_period?: string;
      depends_on?: object;
      command?: string[];
    }
  >;
  configs: { caddyfile: { content: string } };
}

function podOf(deployment: Resource): { spec: PodSpec; metadata: { labels: object } } {
  return deployment.spec.template as { spec: PodSpec; metadata: { labels: object } };
}

function composeOf(path: string): Compose {
  return parse(readFileSync(path, 'utf8'), { merge: true }) as Compose;
}

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

  it('has the documents that the demo reads', () => {
    const [, ...kept] = readFileSync('.dockerignore', 'utf8').trim().split('\n');
    const read = Object.values(READING).flatMap(({ first, second }) => [first, second]);
    for (const name of read) expect([name, kept.includes(`!${name.split('/')[0]}`)]).toEqual([name, true]);
    expect(dockerfile).toContain('COPY --from=build /app/*.md ./');
    expect(dockerfile).toContain('COPY --from=build /app/docs ./docs');
  });
});

describe.each(['one-node', 'several-nodes'])('the example for Kubernetes, %s', (name) => {
  const example = new Example(name);
  const deployments = example.all('Deployment').map((one) => ({ one, pod: podOf(one) }));

  it('has settings that exist, and secrets that the example names', () => {
    const keys = Object.keys(example.one('Secret').stringData!);
    for (const { pod } of deployments) {
      const { env } = pod.spec.containers[0];
      expect(problemsWith(Object.fromEntries(env.map((one) => [one.name, one.value])))).toEqual([]);
      for (const { valueFrom } of env) if (valueFrom) expect(keys).toContain(valueFrom.secretKeyRef.key);
    }
  });

  it('asks the server at its port, by paths that answer', async () => {
    await using server = await CarrelServer.start();
    for (const { pod } of deployments) {
      const [{ env, ports, startupProbe, livenessProbe, readinessProbe }] = pod.spec.containers;
      expect(ports).toEqual([{ name: 'http', containerPort: Number(env.find((one) => one.name === 'PORT')!.value) }]);
      const probes = [startupProbe, livenessProbe, readinessProbe];
      expect(probes.map(({ httpGet }) => httpGet.path)).toEqual(['/health', '/health', '/ready']);
      for (const { httpGet } of probes) {
        expect(httpGet.port).toBe('http');
        expect((await fetch(server.url + httpGet.path)).status).toBe(200);
      }
    }
  });

  it('gives a process that stops the time that it takes, and lets it be no root', () => {
    for (const { one, pod } of deployments) {
      const [{ env, lifecycle }] = pod.spec.containers;
      const drainMs = Number(env.find(({ name: setting }) => setting === 'CARREL_DRAIN_MS')!.value);
      const needed = (lifecycle?.preStop.sleep.seconds ?? 0) + drainMs / 1_000 + 5;
      expect(pod.spec.terminationGracePeriodSeconds).toBeGreaterThan(needed);
      expect(pod.spec.securityContext.runAsNonRoot).toBe(true);
      // whoever takes requests is taken out of the proxies first
      expect([one.metadata.name, lifecycle === undefined]).toEqual([
        one.metadata.name,
        /worker/.test(one.metadata.name),
      ]);
    }
  });

  it('leads requests to those that take them', () => {
    const { selector, ports } = example.one('Service').spec as { selector: object; ports: { targetPort: string }[] };
    expect(ports[0]!.targetPort).toBe('http');
    for (const { one, pod } of deployments) {
      const isMeant = Object.entries(selector).every(
        ([label, value]) => (pod.metadata.labels as Record<string, string>)[label] === value,
      );
      expect([one.metadata.name, isMeant]).toEqual([one.metadata.name, !/worker/.test(one.metadata.name)]);
      expect(pod.metadata.labels).toMatchObject((one.spec.selector as { matchLabels: object }).matchLabels);
    }
  });
});

describe('the example for Kubernetes, one-node', () => {
  const example = new Example('one-node');

  it('has one process for its volume, and ends it before the next one begins', () => {
    const { replicas, strategy } = example.one('Deployment').spec as { replicas: number; strategy: { type: string } };
    expect([replicas, strategy.type]).toEqual([1, 'Recreate']);
    const { volumes } = podOf(example.one('Deployment')).spec as unknown as {
      volumes: { name: string; persistentVolumeClaim?: { claimName: string } }[];
    };
    const claim = volumes.find(({ name }) => name === 'data')!.persistentVolumeClaim!.claimName;
    expect(example.one('PersistentVolumeClaim').metadata.name).toBe(claim);
  });
});

describe('the example for Kubernetes, several-nodes', () => {
  const example = new Example('several-nodes');

  it('has nodes of both roles, with a database and Redis, one of each at least while nodes come and go', () => {
    for (const role of ['api', 'worker']) {
      const deployment = example.one('Deployment', `carrel-${role}`);
      const env = new Map(podOf(deployment).spec.containers[0].env.map((one) => [one.name, one]));
      expect(env.get('CARREL_ROLE')?.value).toBe(role);
      for (const name of ['DATABASE_URL', 'REDIS_URL']) expect(env.get(name)?.valueFrom).toBeDefined();
      const { rollingUpdate } = deployment.spec.strategy as { rollingUpdate: object };
      expect(rollingUpdate).toEqual({ maxUnavailable: 0, maxSurge: 1 });
      expect(deployment.spec.replicas).toBeGreaterThan(1);
      const { maxUnavailable, selector } = example.one('PodDisruptionBudget', `carrel-${role}`).spec as {
        maxUnavailable: number;
        selector: object;
      };
      expect([maxUnavailable, selector]).toEqual([1, deployment.spec.selector]);
    }
    const secrets = example.one('Secret').stringData!;
    const named = { DATABASE_URL: secrets['database-url'], REDIS_URL: secrets['redis-url'] };
    expect(problemsWith(named)).toEqual([]);
  });

  it('brings a client that polls back to its node', () => {
    expect(example.one('Service').spec.sessionAffinity).toBe('ClientIP');
  });

  it('scales the workers by a metric that the server has', async () => {
    await using server = await CarrelServer.start();
    const scaler = example.one('HorizontalPodAutoscaler', 'carrel-worker').spec;
    const { name } = scaler.scaleTargetRef as { name: string };
    expect(example.one('Deployment', name)).toBeDefined();
    const metrics = scaler.metrics as { external?: { metric: { name: string } } }[];
    const names = metrics.flatMap(({ external }) => external?.metric.name ?? []);
    expect(names).toHaveLength(1);
    const text = await (await fetch(`${server.url}/metrics`)).text();
    for (const metric of names) expect(text).toContain(`# TYPE ${metric} gauge`);
  });
});

describe.each([
  ['compose.yaml', ['node1', 'node2']],
  ['deploy/compose.one-node.yaml', ['carrel']],
])('%s', (path, nodes) => {
  const { services, configs } = composeOf(path);

  it('has nodes with settings that exist and a volume each, behind a load balancer that knows them', () => {
    for (const name of nodes) {
      const { environment, stop_grace_period, volumes } = services[name]!;
      expect(problemsWith(environment!)).toEqual([]);
      expect(Number.parseInt(stop_grace_period!, 10) * 1_000).toBeGreaterThan(
        Number(environment!.CARREL_DRAIN_MS) + 5_000,
      );
      expect(configs.caddyfile.content).toContain(`${name}:${imageEnv().PORT}`);
      expect(volumes).toHaveLength(1);
      expect(volumes![0]).toMatch(new RegExp(`^\\w+:${imageEnv().CARREL_DATA_DIR}$`));
    }
    const [port] = services.balancer!.ports!;
    expect(configs.caddyfile.content).toContain(`:${port!.split(':')[1]} {`);
    expect(configs.caddyfile.content).toContain('health_uri /ready');
    expect(configs.caddyfile.content).toContain('respond /metrics 404');
    // a client that polls has to come back to its node
    expect(/lb_policy cookie/.test(configs.caddyfile.content)).toBe(nodes.length > 1);
  });

  it('depends on services that are there', () => {
    for (const { depends_on = {} } of Object.values(services)) {
      const names = Array.isArray(depends_on) ? (depends_on as string[]) : Object.keys(depends_on);
      for (const name of names) expect(Object.keys(services)).toContain(name);
    }
  });
});

describe('compose.yaml', () => {
  it('has the servers that the nodes share, each where the nodes look for it', () => {
    const { services } = composeOf('compose.yaml');
    for (const node of ['node1', 'node2']) {
      const { DATABASE_URL, REDIS_URL } = services[node]!.environment!;
      const database = DATABASE_URL!.replace(/\$\{[^}]*\}/, 'password');
      expect(problemsWith({ DATABASE_URL: database, REDIS_URL })).toEqual([]);
      const { POSTGRES_USER, POSTGRES_DB } = services.postgres!.environment!;
      expect(database).toBe(`postgresql://${POSTGRES_USER}:password@postgres:5432/${POSTGRES_DB}`);
      expect(services[new URL(REDIS_URL!).hostname]!.command).toEqual(expect.arrayContaining(['noeviction']));
    }
  });
});
