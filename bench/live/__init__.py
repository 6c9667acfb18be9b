"""What the live updates cost: deliveries, delay, memory, coming back (docs/performance.md)."""
