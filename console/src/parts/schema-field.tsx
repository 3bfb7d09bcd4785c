import { Checkbox, Fieldset, JsonInput, NumberInput, Select, Textarea, TextInput } from '@mantine/core';
import { asValues, isGroup, kindOf, type Property, type Values } from './schema-values.js';

/** Longer texts get more room. */
const LONG_TEXT = 200;

interface FieldsProps {
  readonly schema: Property;
  readonly values: Values;
  readonly onChange: (values: Values) => void;
}

/** A field for each property of an object. */
export function Fields({ schema: { properties = {}, required = [] }, values, onChange }: FieldsProps) {
  return Object.entries(properties).map(([name, property]) => (
    <Field
      key={name}
      name={name}
      property={property}
      required={required.includes(name)}
      value={values[name]}
      onChange={(value) => onChange({ ...values, [name]: value })}
    />
  ));
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
    const all = property.enum;
    return (
      <Select
        {...common}
        data={all.map(textOf)}
        value={value === undefined ? null : textOf(value)}
        onChange={(next) => onChange(all.find((one) => textOf(one) === next))}
        clearable={!required}
      />
    );
  }
  if (isGroup(property)) {
    return (
      <Fieldset legend={common.label} className="stack">
        {common.description && <div className="quiet small">{common.description}</div>}
        <Fields
          // what may be left out as a whole is asked of nobody
          schema={required ? property : { ...property, required: [] }}
          values={asValues(value)}
          onChange={onChange}
        />
      </Fieldset>
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
    case 'string':
      return <TextField {...common} property={property} value={value} onChange={onChange} />;
    default:
      return (
        <JsonInput
          {...common}
          autosize
          minRows={2}
          maxRows={16}
          value={(value as string | undefined) ?? ''}
          onChange={onChange}
          validationError="This is no JSON"
          placeholder="JSON"
        />
      );
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

type TextFieldProps = Omit<FieldProps, 'name'> & { readonly label: string; readonly description: string | undefined };

function TextField({
  property: { minLength, maxLength, format, pattern },
  value,
  onChange,
  ...common
}: TextFieldProps) {
  const text = { ...common, minLength, maxLength, value: (value as string | undefined) ?? '' };
  const isLong = (maxLength ?? Infinity) > LONG_TEXT && format === undefined && pattern === undefined;
  return isLong ? (
    <Textarea {...text} autosize minRows={2} maxRows={12} onChange={(event) => onChange(event.currentTarget.value)} />
  ) : (
    <TextInput {...text} onChange={(event) => onChange(event.currentTarget.value)} />
  );
}
