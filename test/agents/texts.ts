/** Plain text, hard-wrapped, with one paragraph that is beside the point. */
export const HARBOUR = `The harbour of Eastwick

The harbour of Eastwick lives by the tide. The tide gate at the northern pier opens twice
a day, one hour before high water. Ships that miss the tide gate wait in the outer harbour until
the next tide. The harbour master decides which ship enters first, and the tide gate closes
again when the water falls.

Since the tide gate was rebuilt, larger ships can reach the inner harbour. The harbour master
keeps a log of every ship that passes the tide gate. Pilots guide foreign ships through the
narrow channel between the pier and the lighthouse. Without a pilot no foreign ship may pass the
tide gate at night.

There is also a small bakery behind the market square that sells rye bread.

Storms are the harbour's greatest danger. When a storm comes from the north, the tide gate stays
closed and all ships remain in the outer harbour. The harbour master then lights a red lamp on
the pier, which ships can see from ten miles away.
`;

export const harbourRevised = HARBOUR.replace('twice\na day, one hour before', 'three times\na day, two hours before')
  .replace('There is also a small bakery behind the market square that sells rye bread.\n\n', '')
  .replace('ten miles away.', 'ten miles away. Visitors may watch from the new footbridge.');

/** Markdown with everything that is no prose. */
export const CITY = `# City guide

![A picture of the pier](https://example.org/pier.png)

The city of Eastwick is **built around** its [harbour](https://example.org/harbour). Most people work for the
ships, the shipyard or the fish market.

## The tide gate

The \`tide gate\` protects the city from floods. It is opened for ships at high water:

\`\`\`js
openGate({ force: true });
\`\`\`

| Gate | Width |
|------|-------|
| North | 40 m |

- The harbour office keeps a list of *all* ships, and everyone may read it.
- Guided tours of the tide gate start at the fish market every Sunday.
  They take one hour and are free of charge.

## Getting there

Trains from the capital arrive every hour. The fish market is ten minutes from the station on foot.
`;

export const WATER_DE = `# Wasser in der Stadt

Die Stadt Freiburg baut ihre Wasserversorgung um. Bisher kam das Trinkwasser fast vollständig aus zwei Brunnen im
Dreisamtal, z. B. aus dem Brunnen bei Ebnet. Weil die Sommer trockener werden, sinkt das Grundwasser dort seit Jahren. Die
Stadtwerke haben deshalb beschlossen, einen dritten Brunnen zu bohren und das Netz zu erneuern.

Der neue Brunnen soll 2027 in Betrieb gehen. Er kostet nach Angaben der Stadtwerke rund 14 Millionen Euro. Kritik kommt von
den Landwirten im Dreisamtal, die um ihr Grundwasser fürchten.

## Was die Landwirte sagen

Die Landwirte verlangen, dass die Stadtwerke das Grundwasser laufend messen und die Werte veröffentlichen. Ein Gutachten
rechnet damit, dass der Grundwasserspiegel um höchstens acht Zentimeter sinkt.
`;
