"""The one mechanism that all responders share, in the order of an alert's way.

`intake`: an alert is durable before anybody is told so. `commit`: state and the events that tell of
it are one transaction, with the messages to send in an outbox beside them; relay sends what the bus
did not take. `settle`: what a bus function does with bad input and with parts that are out. `act`:
lease, intent, effect, read-back, confirm.
"""
