import { Alert, Button, PasswordInput, Text, Title } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { sessionByToken, type Session } from './session.js';

export function SignIn({ problem, onSignIn }: { problem?: string; onSignIn: (session: Session) => void }) {
  const [token, setToken] = useState('');
  const [refusal, setRefusal] = useState<string>();
  const [busy, setBusy] = useState(false);

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    setBusy(true);
    setRefusal(undefined);
    try {
      onSignIn(await sessionByToken(token.trim()));
    } catch (error) {
      setRefusal((error as Error).message);
    } finally {
      setBusy(false);
    }
  }

  return (
    <main className="stack" style={{ maxWidth: '26rem', margin: '12vh auto', padding: '0 1rem' }}>
      <Title order={1} size="h2">
        Carrel
      </Title>
      <Text>Watch your runs as they happen. Sign in to see what is yours.</Text>
      {(refusal ?? problem) && (
        <Alert color="red" title="That did not work" role="alert">
          {refusal ?? problem}
        </Alert>
      )}
      <form className="card stack" onSubmit={(event) => void submit(event)}>
        <PasswordInput
          label="Token"
          description="It stays in this tab."
          value={token}
          onChange={(event) => setToken(event.currentTarget.value)}
          required
          autoComplete="off"
        />
        <Button type="submit" loading={busy} disabled={token.trim() === ''}>
          Sign in
        </Button>
      </form>
      <Text className="quiet small">
        On the machine of the server, <code>carrel console --user alice</code> gives a link that signs in.
      </Text>
    </main>
  );
}
