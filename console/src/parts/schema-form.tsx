import { Button, Checkbox, JsonInput, NumberInput, Select, Textarea, TextInput } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { Problem } from './states.js';

interface Property {
  type?: string | string[];
  title?: string;
  description?: string;
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  format?: string;
}

interface FormSchema extends Property {
  properties?: Record<string, Property>;
  required?: string[];
}

interface Props {
  readonly schema: object | undefined;
  readonly example?: unknown;
  readonly action: string;
  readonly onSubmit: (value: unknown) => Promise<unknown>;
}

/** Longer texts get more room. */
const LONG_TEXT = 200;

/** A form for data that fits a JSON Schema: a field for each property of an object, otherwise JSON. */
export function SchemaForm({ schema, example, action, onSubmit }: Props) {
  const form = (schema ?? {}) as FormSchema;
  const properties = Object.entries(form.properties ?? {});
  const [values, setValues] = useState<Record<string, unknown>>(() => initialOf(form, example));
  const [whole, setWhole] = useState(() => JSON.stringify(example ?? {}, null, 2));
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      await onSubmit(properties.length > 0 ? valueOf(form, values) : JSON.parse(whole));
    } catch (thrown) {
      setError(thrown);
    } finally {
      setBusy(false);
    }
  }

  return (
    <form className="stack" onSubmit={(event) => void submit(event)}>
      {properties.map(([name, property]) => (
        <Field
          key={name}
          name={name}
          property={property}
          required={form.required?.includes(name) ?? false}
          value={values[name]}
          onChange={(value) => setValues((all) => ({ ...all, [name]: value }))}
        />
      ))}
      {properties.length === 0 && (
        <JsonInput
          label="Input (JSON)"
          autosize
          minRows={4}
          value={whole}
          onChange={setWhole}
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

interface FieldProps {
  readonly name: string;
  readonly property: Property;
  readonly required: boolean;
  readonly value: unknown;
  readonly onChange: (value: unknown) => void;
}

function Field({ name, property, required, value, onChange }: FieldProps) {
  const common = { label: property.title ?? name, description: property.description, required };
  if (property.enum) {
    const data = property.enum.map(String);
    return (
      <Select
        {...common}
        data={data}
        value={value === undefined ? null : (value as string)}
        onChange={(next) => onChange(next ?? undefined)}
        clearable={!required}
      />
    );
  }
  switch (kindOf(property)) {
    case 'boolean':
      return (
        <Checkbox
          label={common.label}
          description={common.description}
          checked={value === true}
          onChange={(event) => onChange(event.currentTarget.checked)}
        />
      );
    case 'number':
    case 'integer':
      return (
        <NumberInput
          {...common}
          min={property.minimum}
          max={property.maximum}
          allowDecimal={kindOf(property) === 'number'}
          value={(value as number | undefined) ?? ''}
          onChange={(next) => onChange(next === '' ? undefined : next)}
        />
      );
    case 'string': {
      const text = {
        ...common,
        minLength: property.minLength,
        maxLength: property.maxLength,
        value: (value as string | undefined) ?? '',
      };
      const isLong = (property.maxLength ?? LONG_TEXT) >= LONG_TEXT && property.format === undefined;
      return isLong ? (
        <Textarea
          {...text}
          autosize
          minRows={2}
          maxRows={12}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      ) : (
        <TextInput {...text} onChange={(event) => onChange(event.currentTarget.value)} />
      );
    }
    default:
      return (
        <JsonInput
          {...common}
          autosize
          minRows={2}
          value={(value as string | undefined) ?? ''}
          onChange={onChange}
          validationError="This is no JSON"
          placeholder="JSON"
        />
      );
  }
}

function kindOf({ type }: Property): string | undefined {
  return [type].flat().find((one) => one !== 'null');
}

/** What is asked as JSON is edited as text. */
function isJson(property: Property): boolean {
  return !property.enum && !['boolean', 'number', 'integer', 'string'].includes(kindOf(property) ?? '');
}

function initialOf({ properties = {} }: FormSchema, example: unknown): Record<string, unknown> {
  const given = (typeof example === 'object' && example !== null ? example : {}) as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(properties).map(([name, property]) => {
      const value = given[name] ?? property.const ?? property.default;
      return [name, value !== undefined && isJson(property) ? JSON.stringify(value, null, 2) : value];
    }),
  );
}

/** @throws SyntaxError for JSON that is none */
function valueOf({ properties = {}, required = [] }: FormSchema, values: Record<string, unknown>): unknown {
  const filled = Object.entries(properties).flatMap(([name, property]) => {
    const value = values[name];
    const isEmpty = value === undefined || (value === '' && !required.includes(name));
    if (isEmpty) return [];
    return [[name, isJson(property) ? (JSON.parse(value as string) as unknown) : value] as const];
  });
  return Object.fromEntries(filled);
}
