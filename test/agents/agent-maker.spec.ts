import { Inject, Injectable, Optional, Scope, UseGuards, type CanActivate, type Type } from '@nestjs/common';
import { DiscoveryModule, DiscoveryService } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { z } from 'zod';
import { Agent } from '../../src/agents/agent.decorator.js';
import { discoverAgents } from '../../src/agents/agent-discovery.js';
import { makerOf } from '../../src/agents/agent-maker.js';
import { ContextModule } from '../../src/context/context.module.js';
import { UserExecutionContext } from '../../src/context/user-execution-context.js';
import { newId, type UserId } from '../../src/shared/ids.js';

@Injectable()
class Library {}

@Injectable({ scope: Scope.TRANSIENT })
class Pencil {}

@Injectable({ scope: Scope.REQUEST })
class Desk {}

/** A service that is shared only if what it injects is. */
@Injectable()
class Office {
  constructor(readonly desk: Desk) {}
}

class Open implements CanActivate {
  canActivate() {
    return true;
  }
}

const TOKEN = Symbol('TOKEN');
const declared = { description: 'An agent', input: z.any() };

@Agent({ ...declared, name: 'bare' })
class Bare {
  async run() {}
}

@Agent({ ...declared, name: 'reads' })
class Reads {
  constructor(
    readonly library: Library,
    @Inject(TOKEN) readonly value: string,
  ) {}

  async run() {}
}

@Agent({ ...declared, name: 'reads-too' })
class ReadsToo extends Reads {}

@Agent({ ...declared, name: 'knows' })
class Knows {
  constructor(readonly context: UserExecutionContext) {}

  async run() {}
}

@Agent({ ...declared, name: 'knows-and-reads' })
class KnowsAndReads {
  constructor(
    readonly library: Library,
    readonly context: UserExecutionContext,
    @Inject(TOKEN) readonly value: string,
  ) {}

  async run() {}
}

@Agent({ ...declared, name: 'sits' })
class Sits {
  constructor(readonly office: Office) {}

  async run() {}
}

@Agent({ ...declared, name: 'writes' })
class Writes {
  constructor(readonly pencil: Pencil) {}

  async run() {}
}

@Agent({ ...declared, name: 'has-field' })
class HasField {
  @Inject(TOKEN)
  readonly value!: string;

  async run() {}
}

@Agent({ ...declared, name: 'may-have' })
class MayHave {
  constructor(
    readonly library: Library,
    @Optional() @Inject('NOBODY PROVIDES THIS') readonly other?: string,
  ) {}

  async run() {}
}

@UseGuards(Open)
@Agent({ ...declared, name: 'guarded' })
class Guarded {
  async run() {}
}

function contextOf(userId: string) {
  return new UserExecutionContext({ userId: userId as UserId, requestId: newId('req'), createdAtMs: Date.now() });
}

describe('makerOf', () => {
  async function makersOf(...agents: Type[]) {
    const app = await Test.createTestingModule({
      imports: [DiscoveryModule, ContextModule],
      providers: [Library, Pencil, Desk, Office, { provide: TOKEN, useValue: 'tea' }, ...agents],
    }).compile();
    const found = discoverAgents(app.get(DiscoveryService, { strict: false }));
    return { app, makerOf: (agent: Type) => makerOf(found.find(({ agentClass }) => agentClass === agent)!) };
  }

  it('makes a new instance at each call, with what all users share', async () => {
    const { app, makerOf: maker } = await makersOf(Bare, Reads, ReadsToo);
    for (const agent of [Bare, Reads, ReadsToo]) {
      const make = maker(agent)!;
      const [one, other] = [make(contextOf('alice')), make(contextOf('alice'))];
      expect(one).toBeInstanceOf(agent);
      expect(one).not.toBe(other);
    }
    for (const agent of [Reads, ReadsToo]) {
      expect(maker(agent)!(contextOf('alice'))).toMatchObject({ library: app.get(Library), value: 'tea' });
    }
    await app.close();
  });

  it('gives each instance the context of its own run, in its place among what all users share', async () => {
    const { app, makerOf: maker } = await makersOf(Knows, KnowsAndReads);
    for (const agent of [Knows, KnowsAndReads]) {
      const make = maker(agent)!;
      const [alice, bob] = [contextOf('alice'), contextOf('bob')];
      expect([make(alice), make(bob)]).toMatchObject([{ context: alice }, { context: bob }]);
    }
    expect(maker(KnowsAndReads)!(contextOf('alice'))).toMatchObject({ library: app.get(Library), value: 'tea' });
    await app.close();
  });

  it('leaves an agent to Nest where an application provides another context', async () => {
    const app = await Test.createTestingModule({ imports: [DiscoveryModule, ContextModule], providers: [Knows] })
      .overrideProvider(UserExecutionContext)
      .useFactory({ factory: () => contextOf('mallory') })
      .compile();
    const [found] = discoverAgents(app.get(DiscoveryService, { strict: false }));
    expect(makerOf(found!)).toBeUndefined();
    await app.close();
  });

  it.each([
    ['injects a service that injects something of the run', Sits],
    ['injects what is made anew for everybody', Writes],
    ['has a property injected', HasField],
    ['may be given something that nobody provides', MayHave],
    ['has a guard', Guarded],
  ])('leaves an agent to Nest that %s', async (_, agent) => {
    const { app, makerOf: maker } = await makersOf(agent);
    expect(maker(agent)).toBeUndefined();
    await app.close();
  });
});
