import { Button } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import type { ApprovalView } from 'carrel/client';
import { useState } from 'react';
import { Link } from 'react-router';
import { useCarrel } from '../carrel.js';
import { SchemaForm } from './schema-form.js';
import { Moment, Value } from './shown.js';
import { Problem } from './states.js';

type Decision = 'approve' | 'reject' | 'answer' | 'decline';

/** What a run asks, and the form to answer it; bound to what is shown, so that nothing else is decided. */
export function Question({ approval, onAnswer }: { approval: ApprovalView; onAnswer?: () => void }) {
  const { client, session } = useCarrel();
  const queries = useQueryClient();
  const [error, setError] = useState<unknown>();
  const isApproval = approval.kind === 'approval';

  async function decide(decision: Decision, answer?: unknown): Promise<void> {
    await client.approvals.decide(approval.id, { decision, answer, hash: approval.hash });
    await queries.invalidateQueries({ queryKey: ['approvals'] });
    onAnswer?.();
  }
  const quietly = (decision: Decision) => void decide(decision).catch(setError);

  return (
    <article className="card stack" aria-label={approval.title}>
      <div>
        <strong className="prose">{approval.title}</strong>
        <div className="quiet small">
          <Link to={`/runs/${approval.runId}`}>{approval.agent}</Link>
          {approval.askedFor !== session.userId && ` for ${approval.askedFor}`}, until{' '}
          <Moment at={approval.expiresAt} />
        </div>
      </div>
      {approval.details !== undefined && <Value value={approval.details} />}
      {approval.schema ? (
        <SchemaForm
          schema={approval.schema}
          action={isApproval ? 'Approve' : 'Answer'}
          onSubmit={(answer) => decide(isApproval ? 'approve' : 'answer', answer)}
        />
      ) : (
        !isApproval && (
          <SchemaForm
            schema={{ type: 'object', properties: { answer: { type: 'string' } }, required: ['answer'] }}
            action="Answer"
            onSubmit={(given) => decide('answer', (given as { answer: string }).answer)}
          />
        )
      )}
      <div style={{ display: 'flex', gap: '0.6rem' }}>
        {isApproval && !approval.schema && <Button onClick={() => quietly('approve')}>Approve</Button>}
        <Button variant="default" onClick={() => quietly(isApproval ? 'reject' : 'decline')}>
          {isApproval ? 'Reject' : 'Decline'}
        </Button>
      </div>
      {error !== undefined && <Problem error={error} />}
    </article>
  );
}
