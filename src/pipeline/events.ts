import { event, number, text } from 'millrace'

/** One flight that has landed. Upstream is the sample of US flights that the demo streams; see demo/flights.ts. */
export const arrival = event('flight.arrived', {
  id: 'flight',
  user: 'route',
  time: 'arrivedAt',
  // Landing times are estimates and come out of order; the longest flight of the sample takes eleven hours.
  lateness: '12h',
  fields: {
    delayMinutes: number({ scale: 0 }),
    distanceMiles: number({ scale: 0 }),
    departureHour: number({ scale: 0 }),
    departureWeekday: number({ scale: 0 }),
    origin: text(),
    destination: text(),
  },
  owner: 'route desk',
  about: 'A flight has arrived, so many minutes late (negative: early).',
})
