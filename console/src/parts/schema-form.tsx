import { Button, JsonInput, Select } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { Fields } from './schema-field.js';
import { initialOf, valueOf, variantOf, variantsOf, type Property } from './schema-values.js';
import { Problem } from './states.js';

interface Props {
  readonly schema: object | undefined;
  readonly example?: unknown;
  readonly action: string;
  readonly onSubmit: (value: unknown) => Promise<unknown>;
}

/** A form for data that fits a JSON Schema: a field for each property of an object, otherwise JSON. */
export function SchemaForm({ schema, example, action, onSubmit }: Props) {
  const whole = (schema ?? {}) as Property;
  const variants = variantsOf(whole);
  const [variant, setVariant] = useState(() => variantOf(variants, example));
  const form = (variant === undefined ? undefined : variants.get(variant)) ?? whole;
  const hasFields = Object.keys(form.properties ?? {}).length > 0;
  const [values, setValues] = useState(() => initialOf(form, example));
  const [json, setJson] = useState(() => JSON.stringify(example ?? {}, null, 2));
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      await onSubmit(hasFields ? valueOf(form, values) : JSON.parse(json));
    } catch (thrown) {
      setError(thrown);
    } finally {
      setBusy(false);
    }
  }

  return (
    <form className="stack" onSubmit={(event) => void submit(event)}>
      {variants.size > 1 && (
        <Select
          label="What to give"
          data={[...variants.keys()]}
          value={variant}
          allowDeselect={false}
          onChange={(next) => {
            if (next === null) return;
            setVariant(next);
            setValues(initialOf(variants.get(next)!, undefined));
          }}
        />
      )}
      {hasFields ? (
        <Fields schema={form} values={values} onChange={setValues} />
      ) : (
        <JsonInput
          label="Input (JSON)"
          autosize
          minRows={4}
          value={json}
          onChange={setJson}
          validationError="This is no JSON"
        />
      )}
      {error !== undefined && <Problem error={error} />}
      <div>
        <Button type="submit" loading={busy}>
          {action}
        </Button>
      </div>
    </form>
  );
}
